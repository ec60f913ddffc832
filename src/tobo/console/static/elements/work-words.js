// What a work page says where it has nothing to show: a title and a sentence.

/** @param {{claimed: boolean, away: boolean, over: string, reviewing: boolean, waiting: boolean}} state @param {{left: number, conflicts: number} | undefined} progress @returns {[string, string]} */
export function nothingToDo({ claimed, away, over, reviewing, waiting }, progress) {
  if (away) return ["A pause", "You were away for longer than a task may take, so its pictures went back to the others. What you have drawn is kept for you."];
  if (over) return ["All done", over];
  if (waiting) return ["Waiting for the server", "What you have said is kept here. As soon as the server answers, it is sent and you can go on."];
  if (!claimed) return ["One moment …", "The first ones are coming."];
  if (reviewing) return ["Nothing to review now", "The workers agree so far. What they differ about comes here by itself."];
  if (progress?.left) return ["Nothing for you now", "The rest is in other people's hands, or you have answered it. What comes back stands here by itself."];
  if (progress?.conflicts) return ["All labelled", "A reviewer looks at what people differ about. Thank you!"];
  return ["All labelled", "The job is being completed. Thank you!"];
}
