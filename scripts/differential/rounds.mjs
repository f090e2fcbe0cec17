// @ts-check
// Several programs are cut down at once: what all of them ask is answered by one boot.

/** @typedef {import('../../test/differential/program.ts').Program} Program */

/**
 * @typedef {object} Question
 * @property {readonly Program[]} candidates
 * @property {(answers: readonly boolean[]) => void} resolve
 * @property {(reason: unknown) => void} reject
 */

/**
 * Runs every task with a way to ask; when all that still run are waiting, `answer` is called.
 * @template T
 * @param {readonly ((ask: (candidates: readonly Program[]) => Promise<readonly boolean[]>,
 *   ) => Promise<T>)[]} tasks
 * @param {(questions: readonly { task: number, candidates: readonly Program[] }[],
 *   ) => Promise<readonly (readonly boolean[])[]>} answer
 * @returns {Promise<T[]>}
 */
export async function inRounds(tasks, answer) {
  /** @type {Map<number, Question>} */
  const waiting = new Map();
  let running = tasks.length;

  const answerWhenAllWait = () => {
    if (waiting.size === 0 || waiting.size < running) return;
    const asked = [...waiting];
    waiting.clear();
    const questions = asked.map(([task, { candidates }]) => ({ task, candidates }));
    answer(questions).then(
      (answers) => {
        for (const [index, [, { resolve }]] of asked.entries()) resolve(answers[index] ?? []);
      },
      (reason) => {
        for (const [, { reject }] of asked) reject(reason);
      },
    );
  };

  return Promise.all(
    tasks.map(async (task, number) => {
      try {
        return await task((candidates) => {
          return new Promise((resolve, reject) => {
            waiting.set(number, { candidates, resolve, reject });
            answerWhenAllWait();
          });
        });
      } finally {
        running -= 1;
        answerWhenAllWait();
      }
    }),
  );
}
