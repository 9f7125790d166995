# Sourced by ./coffer, ./bench and ./check: what they need from the machine, and how they build. $root is the checkout.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_UI_LANGUAGE=en
artifacts="$root/artifacts"

# One line on the error stream, and the end.
fail() { echo "${0##*/}: $*" >&2; exit 1; }

need_dotnet() {
  command -v dotnet >/dev/null && return
  for folder in "${DOTNET_ROOT:-}" "${HOME:-}/.dotnet" /usr/share/dotnet /usr/lib/dotnet; do
    if [ -x "$folder/dotnet" ]; then PATH="$folder:$PATH"; return; fi
  done
  fail "the .NET SDK 10 is missing: install it as https://learn.microsoft.com/dotnet/core/install/linux says"
}

apt_install() {
  local log
  log=$(mktemp)
  echo "${0##*/}: installing $*" >&2
  export DEBIAN_FRONTEND=noninteractive
  local install=(apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@")
  if ! "${install[@]}" >"$log" 2>&1 </dev/null; then
    # Perhaps the machine has no package lists yet, or old ones.
    apt-get update -qq -o DPkg::Lock::Timeout=300 >>"$log" 2>&1 </dev/null || true
    if ! "${install[@]}" >>"$log" 2>&1 </dev/null; then tail -n 5 "$log" >&2; rm -f "$log"; return 1; fi
  fi
  rm -f "$log"
}

# Makes sure of Debian packages when root, else says in one line which command would. False if they are not there afterwards.
need_packages() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt_install "$@" && return; fi
  echo "${0##*/}: run \`sudo apt-get install $*\` first" >&2
  return 1
}

have_postgresql() {
  { command -v initdb && command -v postgres; } >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

# Debian makes and starts a cluster of its own when the package comes in. Coffer does not use it, so a package that comes in only for
# Coffer's sake makes none; the setting is put back for whoever installs another version later.
need_postgresql() {
  have_postgresql && return
  local setting=/etc/postgresql-common/createcluster.conf
  if [ "$(id -u)" != 0 ] || [ -e "$setting" ]; then need_packages postgresql; return; fi
  need_packages postgresql-common || return 1
  cp -p "$setting" "$setting.coffer" && echo 'create_main_cluster = false' >>"$setting"
  local result=0
  need_packages postgresql || result=1
  mv "$setting.coffer" "$setting"
  return $result
}

# Derives the deposit addresses of real chains.
need_libsecp256k1() {
  compgen -G '/usr/lib/*-linux-gnu*/libsecp256k1.so.[1-9]*' >/dev/null || ldconfig -p 2>/dev/null | grep -q 'libsecp256k1\.so\.[1-9]' \
    || need_packages libsecp256k1-1
}

# An Ethereum node for the demo: the one that is installed, else the one from npm, by its checksum.
need_anvil() {
  [ -z "${COFFER_ANVIL:-}" ] && ! command -v anvil >/dev/null || return 0
  local folder="$artifacts/anvil"
  export COFFER_ANVIL="$folder/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
  [ -x "$COFFER_ANVIL" ] && return
  command -v npm >/dev/null || need_packages nodejs npm || return 1
  echo "${0##*/}: installing anvil" >&2
  mkdir -p "$folder" && cp "$root"/.ci/anvil/package*.json "$folder"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || { tail -n 5 "$folder/npm.log" >&2; return 1; }
}

# What the dashboard sends to browsers beside its own files comes from npm, the first time that it is built.
need_npm_once() {
  [ -e "$artifacts/npm/installed" ] || command -v npm >/dev/null || need_packages nodejs npm
}

# build NAME PROJECT FOLDER...: builds PROJECT in Release unless nothing in FOLDERs or the build's own files changed since the last time.
build() {
  local name=$1 project=$2 folder sources=()
  shift 2
  for folder in "$@" Directory.Build.props Directory.Packages.props global.json .editorconfig BannedSymbols.txt; do sources+=("$root/$folder"); done
  local dll="$artifacts/bin/$name/release/$name.dll" stamp="$artifacts/built.$name"
  up_to_date() { [ -e "$dll" ] && [ -e "$stamp" ] && [ -z "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]; }
  up_to_date && return

  need_dotnet
  need_npm_once || exit 1
  mkdir -p "$artifacts" 2>/dev/null && [ -w "$artifacts" ] && touch "$artifacts/build.lock" 2>/dev/null \
    || fail "$artifacts cannot be written: run as the owner of the checkout, or in a copy of your own"
  # dotnet wants a home for its caches; service accounts often have none.
  if [ ! -w "${HOME:-/nonexistent}" ]; then export HOME="$artifacts/home"; mkdir -p "$HOME"; fi
  local lock
  exec {lock}>>"$artifacts/build.lock"
  flock "$lock"
  # Another start may have built it while this one waited.
  if ! up_to_date; then
    [ -t 2 ] && echo "${0##*/}: building" >&2
    # The time before the build: a file changed while it runs is built again next time.
    touch "$stamp.new"
    # No build servers: they would outlive this, holding the lock and whoever reads our output.
    if ! (cd "$root" && dotnet build "$project" -c Release -v quiet -nodeReuse:false -p:UseSharedCompilation=false -clp:NoSummary) \
      >"$artifacts/build.log" 2>&1 </dev/null {lock}>&-; then
      cat "$artifacts/build.log" >&2
      fail "the build failed"
    fi
    mv "$stamp.new" "$stamp"
  fi
  exec {lock}>&-
}
