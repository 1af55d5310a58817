// Whether the lab can be reached. What is asked of it is asked again where that was lost on the way, as it is while there is
// no network: Streamlit drops what it cannot send.

const LOOK = 2000; // ms between two looks whether the answer is there
const LOOKS = 3; // of a lab that is there and does nothing, until it is asked again
const TRIES = 3; // what is not answered then, will not be

export class Lab {
  /**
   * @param state -> {connected, busy}: of Streamlit's page.
   * @param timers {set, clear}: of the browser, or of a test.
   */
  constructor(state = ofThePage, timers = { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer) }) {
    Object.assign(this, { state, timers });
    this.timer = null;
  }

  get away() {
    return !this.state().connected;
  }

  /**
   * Ask for something.
   *
   * @param send asks.
   * @param open whether the answer is still missing; called with each look, so that what is shown can follow.
   */
  ask(send, open) {
    this.stop();
    let [idle, tries] = [0, TRIES];
    const look = () => {
      this.timer = null;
      if (!open()) return;
      const { connected, busy } = this.state();
      idle = connected && !busy ? idle + 1 : 0;
      if (idle >= LOOKS) {
        [idle, tries] = [0, tries - 1];
        if (tries > 0) send();
      }
      if (tries > 0) this.timer = this.timers.set(look, LOOK);
    };
    send();
    this.timer = this.timers.set(look, LOOK);
  }

  stop() {
    if (this.timer !== null) this.timers.clear(this.timer);
    this.timer = null;
  }
}

/** As Streamlit's page says it; a page that says nothing is connected. */
function ofThePage() {
  const { testConnectionState, testScriptState } = document.querySelector("[data-testid=stApp]")?.dataset ?? {};
  return {
    connected: navigator.onLine && ["CONNECTED", undefined].includes(testConnectionState),
    busy: testScriptState === "running",
  };
}
