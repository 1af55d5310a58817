// Narrow stages keep their rows where they are on the screen while what is said above them changes: a line more than before scrolls
// the page by as much, a line less leaves its room. Wide ones have room for all that may be said (stage.css).

const ROOMY = 690; // px: as in stage.css

export class Steady {
  constructor(find) {
    this.box = find(".stage");
    this.head = find(".head");
    this.rows = find(".board");
  }

  /** The next words may be as short as they are: another text, another width. */
  forget() {
    this.head.style.minHeight = "";
  }

  /** Change what is said. */
  change(write) {
    if (this.box.clientWidth >= ROOMY || !this.box.matches(".drawn:not(.held)")) return write();
    const before = this.rows.getBoundingClientRect().top;
    write();
    this.head.style.minHeight = `${this.head.getBoundingClientRect().height}px`;
    const moved = this.rows.getBoundingClientRect().top - before;
    if (moved) document.querySelector("[data-testid=stMain]")?.scrollBy({ top: moved, behavior: "instant" });
  }
}
