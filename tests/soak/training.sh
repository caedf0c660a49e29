#!/bin/sh
# The long proofs of training: PYTHON [part...]. Without a part, all of them; about an hour and a half on two cores.
#
#   kills    twenty kill -9, ten of them inside a save: weights, state and log to the last bit     5 minutes
#   curve    thirty minutes on the example songs: 1.2 bits under order-0, and healthy previews    32 minutes
#   twice    the same seed gives the same curve twice                                             10 minutes
#   smoke    two seconds of song below 1.0 bit within five minutes                                 5 minutes
set -eu
cd "$(dirname "$0")/../.."
python=$1
shift
for part in ${*:-kills curve twice smoke}; do
  echo "== $part"
  case $part in
  kills) SHARKS_KILLS=20 "$python" -m pytest tests/train/test_faults.py -k killed ;;
  *) "$python" tests/soak/training.py "$part" ;;
  esac
done
