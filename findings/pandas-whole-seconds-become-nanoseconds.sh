#!/usr/bin/env bash
# Guess: pandas.to_timedelta([1.0, 2.5, 4.0], unit="s") gives 1, 2.5 and 4 seconds, as it has always done.
# Truth: in pandas 3.0.0 the whole numbers among them are taken for nanoseconds, without a word: 1e-9, 2.5 and 4e-9 s. In
#        3.0.1 and 3.0.2 only the numbers before the first fraction are. From 3.0.3 on all are seconds again. Lists of
#        whole numbers alone, and to_datetime, were right in all of them. A recording sampled every half second so loses
#        its clock at every second sample.
# Versions: pandas 3.0.0, 3.0.1, 3.0.2, 3.0.3, Python 3.11.
# Output seen:
#   3.0.0 [1e-09, 2.5, 4e-09]
#   3.0.1 [1e-09, 2.5, 4.0]
#   3.0.2 [1e-09, 2.5, 4.0]
#   3.0.3 [1.0, 2.5, 4.0]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"

seen=""
for version in 3.0.0 3.0.1 3.0.2 3.0.3; do
  "$folder/venv/bin/pip" install -q --disable-pip-version-check "pandas==$version" numpy==2.4.6
  line=$("$folder/venv/bin/python" -c '
import pandas
print(pandas.__version__, pandas.to_timedelta([1.0, 2.5, 4.0], unit="s").total_seconds().tolist())')
  echo "$line"
  seen+="$line;"
done

test "$seen" = "3.0.0 [1e-09, 2.5, 4e-09];3.0.1 [1e-09, 2.5, 4.0];3.0.2 [1e-09, 2.5, 4.0];3.0.3 [1.0, 2.5, 4.0];" ||
  { echo "pandas behaves otherwise now" >&2; exit 1; }
