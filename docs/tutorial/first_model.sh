#!/usr/bin/env bash
# The commands of first-model.md, in their order. Needs CHECKOUT, and Pilothouse's environment in PATH.
set -euo pipefail

export PILOTHOUSE_HOME=$PWD/home

python "$CHECKOUT/examples/employment/train.py" --out first
ls first/model

pilothouse check first/model

pilothouse up --stop-runtimes &
SERVER=$!
until pilothouse people me > /dev/null 2>&1; do sleep 1; done
pilothouse doctor

pilothouse runtimes register dev --stage DEV --address 127.0.0.1:9101
pilothouse runtimes register sit --stage SIT --address 127.0.0.1:9102
pilothouse runtimes register uat --stage UAT --address 127.0.0.1:9103
pilothouse runtimes register prod --stage PROD --address 127.0.0.1:9104

mkdir results
pilothouse locations register data first/data
pilothouse locations register results results --access read-write
pilothouse datasets register acs@2015-test data:2015-test.parquet --role test --label employed

pilothouse services define eligibility --mode online --lifecycle promote-online --test-dataset acs@2015-test

pilothouse models register employment-gbm
pilothouse snapshots take first/model --service eligibility

until pilothouse tasks list | grep "Approve"; do sleep 1; done
pilothouse runs list

pilothouse people create vera --title "Vera, validator"
pilothouse people grant vera validator
VERA=$(pilothouse tokens issue laptop --person vera)
TASK=$(pilothouse tasks list --json | python -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')
pilothouse tasks show "$TASK"
PILOTHOUSE_TOKEN=$VERA pilothouse tasks complete "$TASK" --answers '{"decision": "approve", "comment": "seen"}'

until pilothouse runs list | grep "promoted"; do sleep 1; done
pilothouse services where eligibility

export PILOTHOUSE_SCORING_TOKEN=$(pilothouse tokens issue-scoring portal --service eligibility)
until head -n 2 first/model/golden.jsonl | pilothouse score eligibility PROD; do sleep 1; done

pilothouse jobs score employment-gbm@1 --service eligibility --stage DEV \
    --source data:2016.parquet --source-format parquet --to results:2016 --column id
ls results/2016

kill $SERVER
wait $SERVER || true
