"""Worker tasks: a template of somebody's, filled with one task's input and shown to one worker.

A worker task is an id, a template (Liquid and HTML), an input (JSON), and a place where the answer goes. Whose task it is
does not matter here: a labelling job's item and a human loop are shown in the same way.

1. The noun that has the task gives an operation which asks `pages.make_page(call, template, input, role, host)` and
   answers `page.told()`: Content, Errors, and Pictures, the only addresses that the page may load.
2. A screen answers below the console's /frames/ with `task_frames.framed(visit, told)`: a document that a browser keeps
   in an origin of its own, without cookies, without a network but its pictures.
3. The page that the worker has open shows it with `<task-frame>` (elements/task-frame.js), given that address. The element
   fires "label-done" when the worker submits; its `answer` is then the form's values by their names, as Ground Truth's
   answerContent has them: {"<name>": {"label": "ok"}, "<name>": "a text", ...}. The page sends it wherever it belongs, by
   an operation, which takes it for what it is: words of a template that nobody has checked.
"""
