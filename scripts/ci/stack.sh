#!/usr/bin/env bash
# A stack in CI, one command for each step. `.github/workflows/terrane.yml` runs these, and so can any other CI.
#   scripts/ci/stack.sh build     builds the program and keeps it in OUT
#   scripts/ci/stack.sh preview   plans; the comment, the plan as JSON and its summary go to OUT, and the plan itself where PLAN_KEY is set
#   scripts/ci/stack.sh comment   posts the comment to the pull request, in place of the one before
#   scripts/ci/stack.sh find      finds the run that previewed the pull request which was merged
#   scripts/ci/stack.sh up        applies what was previewed, and nothing else
#   scripts/ci/stack.sh image     builds the image of the application and pushes it to the repository that the stack made
#   scripts/ci/stack.sh drift     fails when objects were changed outside of the program
#
# PROGRAM        the binary, for example prod-stack
# OUT            the folder that is handed on between jobs (terrane-ci)
# FLAGS          flags of every command of the program, for example --backend or --sandbox
# PREVIEW_FLAGS  more flags of `preview`, for example --cost
# BUILD_FLAGS    flags of `cargo build` (--release)
# PLAN_KEY       a passphrase: the plan holds secrets and is handed on only encrypted. Without it the plan's digest is handed on, and
#                `up` plans again and applies only the same changes
# CONTEXT        the folder with the Dockerfile, for `image` (.)
# PULL_REQUEST, GITHUB_TOKEN and the variables that GitHub sets, for `comment` and `find`
set -euo pipefail

: "${PROGRAM:?the name of the binary, for example prod-stack}"
out=${OUT:-terrane-ci}
program=$out/$PROGRAM
plan=$out/$PROGRAM.plan
read -ra flags <<<"${FLAGS:-}"
read -ra preview_flags <<<"${PREVIEW_FLAGS:-}"
read -ra build_flags <<<"${BUILD_FLAGS:---release}"

# The program with these arguments. An empty array is no error in old shells either.
stack() {
  "$program" "$@" ${flags[@]+"${flags[@]}"}
}

# Hands a value to later steps.
set_output() {
  echo "$1=$2"
  if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "$1=$2" >>"$GITHUB_OUTPUT"; fi
}

fail() {
  echo "error: $1" >&2
  if [ "${GITHUB_ACTIONS:-}" = true ]; then echo "::error::$1" >&2; fi
  exit "${2:-1}"
}

# A request to GitHub: method and path; a body comes on stdin. The token is no argument, which other users of the machine could read.
github() {
  local method=$1 path=$2 body=()
  if [ "$method" != GET ]; then body=(--header 'Content-Type: application/json' --data-binary @-); fi
  curl --silent --show-error --fail --max-time 60 --retry 3 --request "$method" \
    --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "${GITHUB_TOKEN:?}") \
    ${body[@]+"${body[@]}"} "${GITHUB_API_URL:-https://api.github.com}/repos/${GITHUB_REPOSITORY:?}/$path"
}

build() {
  cargo build --locked ${build_flags[@]+"${build_flags[@]}"} --bin "$PROGRAM"
  local profile=debug
  case " ${build_flags[*]-} " in *' --release '*) profile=release ;; esac
  mkdir -p "$out"
  cp "${CARGO_TARGET_DIR:-target}/$profile/$PROGRAM" "$program"
}

preview() {
  local code=0 keep=()
  if [ -n "${PLAN_KEY:-}" ]; then keep=(--out "$plan"); fi
  stack preview --detailed-exitcode ${keep[@]+"${keep[@]}"} --markdown "$out/comment.md" --json-file "$out/plan.json" \
    --summary-json "$out/summary.json" ${preview_flags[@]+"${preview_flags[@]}"} || code=$?
  case $code in
  0) set_output changes false ;;
  2) set_output changes true ;;
  *) exit "$code" ;;
  esac
  if [ -n "${PLAN_KEY:-}" ]; then
    openssl enc -aes-256-cbc -salt -pbkdf2 -iter 600000 -pass env:PLAN_KEY -in "$plan" -out "$plan.enc"
    rm "$plan"
  fi
}

comment() {
  local marker id='' page=1 found count method=POST path
  [ -e "$out/comment.md" ] || fail "there is no comment to post: $out/comment.md"
  marker=$(head -n 1 "$out/comment.md")
  while [ -z "$id" ]; do
    found=$(github GET "issues/${PULL_REQUEST:?}/comments?per_page=100&page=$page")
    # Anybody may write that line; only a comment of our own is written anew.
    id=$(jq -r --arg marker "$marker" --arg author "${COMMENT_AUTHOR:-github-actions[bot]}" \
      'map(select(.user.login == $author and (.body | startswith($marker)))) | .[0].id // empty' <<<"$found")
    count=$(jq length <<<"$found")
    if [ "$count" -lt 100 ]; then break; fi
    page=$((page + 1))
  done
  path=issues/$PULL_REQUEST/comments
  if [ -n "$id" ]; then method=PATCH path=issues/comments/$id; fi
  jq --raw-input --slurp '{body: .}' "$out/comment.md" | github "$method" "$path" | jq -r .html_url
}

find_preview() {
  local head artifact run
  head=$(github GET "commits/${GITHUB_SHA:?}/pulls" | jq -r 'map(select(.merged_at)) | .[0].head.sha // empty')
  [ -n "$head" ] || fail "no pull request was merged as $GITHUB_SHA; apply it by hand: $PROGRAM up"
  artifact=terrane-$PROGRAM-$head
  run=$(github GET "actions/artifacts?name=$artifact&per_page=100" | jq -r --arg head "$head" \
    '.artifacts | map(select((.expired | not) and .workflow_run.head_sha == $head)) | .[0].workflow_run.id // empty')
  [ -n "$run" ] || fail "the preview of $head is not kept any more; apply it by hand: $PROGRAM up"
  set_output artifact "$artifact"
  set_output run "$run"
}

up() {
  local code=0
  # An artifact keeps no permissions.
  chmod +x "$program"
  if [ -e "$plan.enc" ]; then
    openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -pass env:PLAN_KEY -in "$plan.enc" -out "$plan" ||
      fail 'the plan cannot be decrypted: PLAN_KEY is not the one of the preview'
    stack up "$plan" --lock-timeout 15m --markdown "$out/applied.md" || code=$?
    rm "$plan"
    # Refused, mostly because the state has moved on. What was approved is the changes: the same ones may still be made.
    [ "$code" = 7 ] || exit "$code"
    echo 'note: the saved plan is refused; planning again, to apply only the same changes' >&2
  fi
  stack up --plan-digest "$out/plan.json" --lock-timeout 15m --markdown "$out/applied.md"
}

image() {
  local repository image digest
  repository=$(stack output --raw ecr_repository_url)
  image=$repository:${GITHUB_SHA:?}
  aws ecr get-login-password | docker login --username AWS --password-stdin "${repository%%/*}"
  docker build --tag "$image" "${CONTEXT:-.}"
  docker push "$image"
  # The digest is what was pushed, whatever the tag is moved to later.
  digest=$(docker inspect --format '{{index .RepoDigests 0}}' "$image")
  set_output image "${digest##*@}"
}

drift() {
  local code=0
  stack preview --refresh-only --detailed-exitcode --markdown "$out/drift.md" || code=$?
  case $code in
  0) ;;
  2) fail "objects were changed outside of the program; take it over with \`$PROGRAM refresh\`, or undo it with \`$PROGRAM up\`" ;;
  *) exit "$code" ;;
  esac
}

case "${1:-}" in
build | preview | comment | up | image | drift) "$1" ;;
find) find_preview ;;
*)
  echo "usage: $0 build|preview|comment|find|up|image|drift" >&2
  exit 64
  ;;
esac
