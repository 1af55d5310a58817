// What answers while a line is dragged: the model itself, in this browser or on the server (app/live/README.md), where
// the page offers it; else nobody, and the stage shows what would leave (fate.js) without an answer.

/**
 * Asks whoever is there. None of its promises rejects.
 *
 * `answer(thresholds)` -> {thresholds, probabilities, value, kept, importance, source} | null
 * `curve(layer, thresholds)` -> [{from, probabilities, value, left}, …] | null; layers count from 1
 * `time(thresholds, longer)` -> {dense, pruned, rounds} | null; milliseconds
 * `state` -> {where: "browser" | "server" | "nowhere", loading: 0…1 | null, why}
 */
export class Answers {
  constructor(changed) {
    this.changed = changed;
    this.live = null;
  }

  get state() {
    return this.live?.state ?? { where: "nowhere", loading: null, why: "" };
  }

  /** Whether curves are to be expected: not where it has come out that the server answers. */
  get mayDraw() {
    return this.state.where !== "server" || this.state.loading !== null;
  }

  /** Take what the page offers for this text and model; null for nothing. */
  read(offer) {
    const news = JSON.stringify(offer ?? null);
    if (news === this.news) return;
    this.news = news;
    this.offer = offer;
    if (!offer) this.close();
    else if (this.live && this.client === offer.client) this.live.read(offer);
    else this.open(offer);
  }

  async open(offer) {
    this.close();
    this.client = offer.client;
    try {
      // This module may have come from a Blob, against whose address no other resolves.
      const { open } = await import(new URL(offer.client, document.baseURI).href);
      if (this.offer !== offer || this.client === null) return; // another one, or closed meanwhile
      this.live = open(offer, { changed: (state) => this.changed(state) });
      this.changed(this.state);
    } catch {
      this.client = null; // no such route, or no network: the preview stays
    }
  }

  async answer(thresholds) {
    return (await this.live?.answer(thresholds)) ?? null;
  }

  async curve(layer, thresholds) {
    return (await this.live?.curve(layer, thresholds)) ?? null;
  }

  async time(thresholds, longer) {
    return (await this.live?.time(thresholds, longer)) ?? null;
  }

  close() {
    this.client = null;
    this.live?.close();
    this.live = null;
  }
}
