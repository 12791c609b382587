// Questions while a line moves: one on the way at a time, and the last one always asked. Pure; who asks is given.

/**
 * @template Q, A
 * @typedef {object} Asking
 * @property {(question: Q, quick: boolean, signal: AbortSignal) => Promise<A>} ask
 * @property {(answer: A, quick: boolean, question: Q) => void} answered
 * @property {(error: unknown, question: Q) => void} failed
 */

/** @template Q, A */
export class Recounter {
  /** @type {{question: Q, quick: boolean} | null} */
  #wanted = null;
  /** @type {{quick: boolean, abort: AbortController} | null} */
  #flight = null;

  /** @param {Asking<Q, A>} asking */
  constructor(asking) {
    this.asking = asking;
  }

  /**
   * Ask this as soon as may be, and nothing that was wanted before it. A quick question on the way is left to be answered
   * while others follow it, or nothing would be seen of a line that moves on and on; all else that is stale is aborted.
   * @param {Q} question
   * @param {boolean} quick without evidence
   */
  want(question, quick) {
    this.#wanted = { question, quick };
    if (this.#flight && !(quick && this.#flight.quick)) this.#drop();
    if (!this.#flight) this.#send();
  }

  /** Nothing is wanted any more. */
  stop() {
    this.#wanted = null;
    this.#drop();
  }

  #drop() {
    this.#flight?.abort.abort();
    this.#flight = null;
  }

  async #send() {
    if (!this.#wanted) return;
    const { question, quick } = this.#wanted;
    const flight = { quick, abort: new AbortController() };
    [this.#wanted, this.#flight] = [null, flight];
    const done = () => {
      if (this.#flight !== flight) return false;
      this.#flight = null;
      return true;
    };
    try {
      const answer = await this.asking.ask(question, quick, flight.abort.signal);
      if (done()) this.asking.answered(answer, quick, question);
    } catch (error) {
      if (done()) this.asking.failed(error, question);
    }
    if (!this.#flight) this.#send();
  }
}
