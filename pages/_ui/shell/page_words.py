"""Title, line and help of every page."""

PAGES = {
    "home": (
        "Find and explain anomalies",
        "Open a table, images or sensor recordings. A detector learns without labels what is normal, scores every row, "
        "and explains each score.",
        "Start with a sample, or open your own file. A sample takes four clicks: **Open → Use these settings → "
        "Train → See alerts**.",
    ),
    "data": (
        "Data",
        "Open a file, check the role and the kind of each column, and choose the training rows.",
        "Every column has a **role**: the detector learns from features; the id identifies the row; a label is never "
        "trained on and only used for evaluation; ignored columns are left out. A column that never changes is "
        "watched, and a new value in it is an alarm. Columns of grade C are ignored or watched unless "
        "you make them features. Change a role or a kind in the table, and the page reads the data again. "
        "Nothing is trained on this page.",
    ),
    "train": (
        "Train",
        "Choose a method and start the training. With a pretext task, rows on which the trained network fails get a "
        "high anomaly score.",
        "Each card names the **task** of the method, the anomalies that it **finds** and those that it **misses**. The "
        "suggested method is a sound start, and classical detectors score the same rows for comparison. "
        "*Quick* is for a first look, *Standard* for results, *Thorough* for a last improvement. Training runs in "
        "its own process: closing the page or the app does not stop it.",
    ),
    "runs": (
        "Runs",
        "Every training and every scored file, with its settings and its disk use.",
        "Select a run to open it, rename it, add a note, repeat or delete it. *Run again* queues a new run with the "
        "same data and settings. Deleting a run removes its detector and results, never your data files.",
    ),
    "alerts": (
        "Alerts",
        "All rows, the highest anomaly score first.",
        "Choose the rule for alerts and read what it guarantees: with a false positive rate of 5 %, about 5 of 100 "
        "normal rows are alerts by chance. Events of recordings are made of the same alerts. Save the rule with a "
        "reason, and it applies to every file that is scored with this run. Select a row in the table to see the "
        "features that raise its score; **Explain** shows the full explanation. The address of this page contains the "
        "run and the row: a copied link shows a colleague the same case.",
    ),
    "calibration": (
        "Calibration",
        "Check the calibration rows with the highest scores: are there anomalies among them?",
        "An anomaly among the calibration rows raises the p-values of similar rows, which then may never become "
        "alerts. Look at the highest rows. **Confirm** those that are anomalies, **keep** the others, then calibrate "
        "without the confirmed ones. Nothing is trained again, and taking a verdict back restores its row. Rows that "
        "nobody has confirmed are never left out: leaving out the highest rows without a review would also remove "
        "normal rows, and the guarantee would no longer hold.",
    ),
    "map": (
        "Map",
        "Each point is a row, placed by its embedding. Rows with similar embeddings lie close together.",
        "Draw around points to list them below and to see in which columns they differ from the rest. A click on a "
        "point makes it the current case (where there is a *Mouse* field, switch it to *Click a point* first). "
        "Distances between distant groups mean little in a UMAP map; use PCA, a linear projection, as a second view. "
        "Colour by **neighbours kept** to see where the map can be trusted; **ringed** points are drawn among other "
        "points although they are far from them in the embedding.",
    ),
    "reasons": (
        "Reasons",
        "Global feature importance: what drives the alerts of this run.",
        "Each explanation is converted to shares that add up to 100 %. The importance of a feature is its mean share "
        "over the alerts, so that one extreme score does not hide the others. Explanations that failed the "
        "faithfulness check, or could not be checked, are not counted. Importance says what the detector used, not "
        "what caused the anomaly. A click on **Show** lists the alerts whose score a feature raises most.",
    ),
    "explain": (
        "Explain",
        "Why one row has its score.",
        "The bars are attributions: how much each feature raises (orange) or lowers (blue) the score, compared with a "
        "named **baseline**. They add up to the difference of the two scores; the completeness gap is the error of "
        "this sum. Expected values are what the detector expects, given the rest of the row. **What would make it "
        "normal** searches for the smallest change to values that occur in the data (a counterfactual); **What if** "
        "scores the row with values that you enter. Both take some seconds and change nothing in your files.",
    ),
    "review": (
        "Review",
        "Give each alert a verdict: one key each, then the next alert is shown.",
        "**A** anomaly, **N** normal, **U** unsure, **D** data error (the row was recorded wrongly), **S** seen before "
        "(a real anomaly that is already known). **Z** takes your last verdict back, **→** leaves a row for later. "
        "While you type a tag or a note the keys write letters; **Tab** leaves the field. A verdict belongs to the "
        "row: it is shown with every run on the same data, is never overwritten, and is not used for training.",
    ),
    "evaluate": (
        "Evaluate",
        "Detection quality, measured with labels or verdicts.",
        "The ground truth comes from a label column, which is never trained on, or from verdicts. Every metric has a "
        "95 % interval: few labels give a wide interval. Precision and recall come first, because AUROC looks too good "
        "when anomalies are rare.",
    ),
    "score_file": (
        "Score file",
        "Score new data with a trained detector.",
        "The new file is read in the same way as the training data. Differences are listed before you start; with a "
        "missing column it can't be scored. The result is a batch of its own that you can open in Alerts, Map and "
        "Explain.",
    ),
}
"""Page -> title, one line about it, help."""
