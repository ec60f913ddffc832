// What a work page says where it has nothing to show: a title and a sentence.
import { make } from "./label-dom.js";

/** @param {{claimed: boolean, away: boolean, over: string, reviewing: boolean, waiting: boolean, endless: boolean}} state @param {{left: number, conflicts: number} | undefined} progress @returns {[string, string]} */
export function nothingToDo({ claimed, away, over, reviewing, waiting, endless }, progress) {
  if (away) return ["A pause", "You were away for longer than a task may take, so its pictures went back to the others. What you have drawn is kept for you."];
  if (over) return ["All done", over];
  if (waiting) return ["Waiting for the server", "What you have said is kept here. As soon as the server answers, it is sent and you can go on."];
  if (!claimed) return ["One moment …", "The first ones are coming."];
  if (reviewing) return ["Nothing to review now", "The workers agree so far. What they differ about comes here by itself."];
  if (progress?.left) return ["Nothing for you now", "The rest is in other people's hands, or you have answered it, or a machine plans what to ask next. What comes back stands here by itself."];
  if (endless) return ["Nothing for you now", "What a model is unsure of comes here by itself. You need not load this page again."];
  if (progress?.conflicts) return ["All labelled", "A reviewer looks at what people differ about. Thank you!"];
  return ["All labelled", "The job is being completed. Thank you!"];
}

/** @param {string} title @param {string} words @param {(() => void) | null} goOn what its button does @param {string} others where there is other work; "" for no link */
export function emptyBox(title, words, goOn, others) {
  const box = make("div", "empty", make("h2", "", title), make("p", "", words));
  if (goOn) {
    const button = make("button", "button primary big", "Go on");
    button.type = "button";
    button.addEventListener("click", goOn);
    box.append(button);
  }
  if (others) {
    const link = make("a", "button big", "Other work");
    link.href = others;
    box.append(link);
  }
  return box;
}
