"""A fuzz run over all readers: small odd files are opened, profiled and scored, and nothing may go wrong silently.

    make fuzz                                  10,000 inputs of the default seed (N=500 makes 500, SEED=3 another seed)
    python -m tests.fuzz --seed 0 --only 17    the one input with number 17 of seed 0, and its traceback

An input is fully determined by its seed and its number. It is made in three steps:

- a small valid table, recording or folder of images (`tables`, `recordings`, `images`), made odd in its values and
  columns (`odd_values`), is written in one of many formats (`writers`; text in many dialects: `text_lines`),
- now and then the bytes of the file are damaged (`damage`),
- it is opened as a new user would and as the shell opens new data for a detector, its columns are reported and
  profiled, and it is scored by a detector that was trained once on clean data of its kind (`detectors`); with some
  inputs a detector of their own is trained (`judgement`).

An `AdError` of one readable sentence is a right answer. Failures are: any other exception or a warning, more than 10 s
of processor time, a score that is not finite and has no note, scores of another number of rows than the data set has,
and a data set with another number of rows than were written, without a notice. A failure is printed with the way to
repeat it, and its input is kept in a folder.

A failure of the product is mended where it is and gets a small test with a name beside the code that it concerns; the
input itself does not become a file of the project.
"""
