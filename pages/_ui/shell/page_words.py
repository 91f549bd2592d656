"""Title, line and help of every page."""

PAGES = {
    "home": (
        "Find what does not belong",
        "Bring a table, images or sensor recordings. The detector learns what is usual, without labels, and says "
        "why a row is not.",
        "Start with a sample, or open your own file. A sample takes four clicks: **card → Use these settings → "
        "Train → See alerts**.",
    ),
    "data": (
        "Data",
        "Open a file, check how its columns are understood, and say which rows show what is usual.",
        "Every column has a **role**: features are learnt from; the id names rows; a label is never trained on "
        "and only judges; "
        "ignored columns are left out. Grade C columns are left out unless you insist. Change a role or a kind "
        "in the table and "
        "the page looks at the data again. Nothing is trained here.",
    ),
    "train": (
        "Train",
        "Choose a puzzle for the network to solve. What it can't solve is what is unusual.",
        "Each card says what the network is **asked**, what it **finds** and what it **misses**. The suggested "
        "method is a sound start, and classical detectors are shown beside whatever you choose. "
        "*Quick* is for looking around, *Standard* for results, *Thorough* for the last bit. Training runs in "
        "its own process: "
        "closing the page or the app does not harm it.",
    ),
    "runs": (
        "Runs",
        "Every training and every scored file, with its settings and its place on the disk.",
        "Select a run to open, rename, note, repeat or delete it. *Run again* queues a new run with the same "
        "data and settings; "
        "deleting a run removes its detector and results, never your data files.",
    ),
    "alerts": (
        "Alerts",
        "All rows, the most unusual first.",
        "Choose the rule for alerts, and read what it guarantees: with a false positive rate of 5 %, about 5 of 100 "
        "normal rows become alerts by chance. Events of recordings are made of the same alerts. Save the rule with a "
        "reason, and it holds for every file that is scored with this run. "
        "Select a row in the table to see its main reasons; **Explain** shows the whole case. The address of "
        "this page holds run "
        "and row: a copied link shows a colleague the same thing.",
    ),
    "calibration": (
        "Calibration",
        "The rows that say what is usual: are there anomalies among them?",
        "An anomaly among the calibration rows makes the p-values of rows like it large, so these are never alerts. "
        "Look at the highest ones. **Confirm** those that are anomalies, **keep** the others, then calibrate without "
        "the confirmed ones: nothing is trained again, and a verdict that is taken back puts its row back. Rows that "
        "nobody has confirmed are never left out: dropping the highest ones unseen would drop normal rows too, and "
        "break the guarantee.",
    ),
    "map": (
        "Map",
        "Each point is a row as the detector sees it. Rows that look alike to it lie close together.",
        "Draw around points to list them below and see in which columns they differ from the rest; a click on a point "
        "makes it the current case (up to 10,000 points: after the mouse is switched to clicking). Distances between "
        "far groups mean little in a UMAP map; PCA is the honest, flatter second look. Colour by **neighbours kept** "
        "to see which places can be trusted; **ringed** points are drawn inside the crowd but lie far outside it.",
    ),
    "reasons": (
        "Reasons",
        "What drives all alerts, taken together.",
        "Each explanation is turned into shares that add up to 100 %, and their mean is taken, so that a single "
        "enormous score does not hide the others. Explanations that failed their check, or could not be checked, don't "
        "count. Shares say what the detector looked at, not what caused the anomaly. A click on **Show** lists the "
        "alerts whose score a part raises most.",
    ),
    "explain": (
        "Explain",
        "Why one row has its score.",
        "The bars say how much each part raises (orange) or lowers (blue) the score against a named "
        "**baseline**. They add up to the "
        "difference of the two scores; the completeness gap says how well. Expected values come from the "
        "detector, given the rest of the row. **What would make it normal** looks for the smallest change with values "
        "that exist; **What if** scores the row with values of yours. Both take some seconds and change nothing in "
        "your files.",
    ),
    "review": (
        "Review",
        "Judge alerts one by one: one key each, and the next one is there.",
        "**A** anomaly, **N** normal, **U** unsure, **D** data error (the row was recorded wrongly), **S** seen before "
        "(a real one, but known). **Z** takes your last verdict back, **→** leaves a row for later. While you type a "
        "tag or a note the keys write letters; **Tab** leaves the field. A verdict belongs to the row: it is seen "
        "beside every run on the same data, nothing is ever overwritten, and nothing is trained with it.",
    ),
    "evaluate": (
        "Evaluate",
        "How good the scores are, where something is known of the rows.",
        "Truth comes from a label column, which is never trained on, or from verdicts. Every figure has a 95 % "
        "interval: few labels, wide interval. Precision and recall come first, because anomalies are rare and AUROC "
        "flatters then.",
    ),
    "score_file": (
        "Score file",
        "Let a saved detector look at new data.",
        "The new file is read like the one that the detector was trained on. What differs is listed before you "
        "start; a missing column "
        "stops it. The result is a batch of its own that you can open in Alerts, Map and Explain.",
    ),
}
"""Page -> title, one line about it, help."""
