# Sourced by ./run: makes the layers that machines are stacked of. A layer is a folder in LAYERS: a system made by
# debootstrap, or what a command changed in a machine of other layers. Where to get a suite is taken from the apt of this
# machine, or from debootstrap if this machine is of another distribution.
# shellcheck shell=bash

# what a run needs besides PostgreSQL, for machines that don't try just that
tools="build-essential pkg-config libcurl4-openssl-dev libssl-dev libjson-c-dev python3 python3-venv
    default-jre-headless maven golang-go clang libclang-rt-dev valgrind pgbouncer openssl iproute2 sudo"

# of the package with the keys of Ubuntu's archive, which Debian hasn't got
ubuntu_keys=pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb
ubuntu_keys_sha256=36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8

distribution_of() {
    case $1 in
        noble) echo ubuntu ;;
        *) echo debian ;;
    esac
}

# uri_of RELEASE: where this machine's apt gets it; nothing if it doesn't
uri_of() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$1" '$1 == release && !seen { print $2; seen = 1 }'
}

# uri_like SUITE [-security]: where SUITE is, if this machine is of the same distribution; else nothing
uri_like() {
    local ID='' VERSION_CODENAME=''
    . /etc/os-release
    [ "$ID" != "$(distribution_of "$1")" ] || uri_of "$VERSION_CODENAME${2:-}"
}

# A suite that debootstrap doesn't know yet is made like the others of its distribution.
debootstrap_script() {
    local script=/usr/share/debootstrap/scripts/$1
    [ -e "$script" ] || case $(distribution_of "$1") in
        ubuntu) script=${script%/*}/gutsy ;;
        debian) script=${script%/*}/sid ;;
    esac
    echo "$script"
}

ubuntu_mirror() {
    local mirror
    mirror=$(uri_like noble)
    echo "${mirror:-$(sed -n 's/.*default_mirror \(.*archive.*\)/\1/p' "$(debootstrap_script noble)")}"
}

# download URL FILE: fails soon if there is no answer
download() {
    timeout 60 /usr/bin/python3 -c 'import shutil, sys, urllib.request as request
with request.urlopen(sys.argv[1], timeout=10) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)' "$@" 2>/dev/null
}

# Whether machines of a suite can be made; says why not.
can_make() {
    [ "$1" != noble ] || download "$(ubuntu_mirror)/$ubuntu_keys" "$LAYERS/ubuntu-keyring.deb" ||
        { echo "its mirror is not reachable"; return 1; }
}

# keyring_of SUITE: the file with the keys that sign it
keyring_of() {
    local keyring
    keyring=/usr/share/keyrings/$(distribution_of "$1")-archive-keyring.gpg
    if [ ! -e "$keyring" ] && [ "$1" = noble ]; then
        echo "$ubuntu_keys_sha256  $LAYERS/ubuntu-keyring.deb" | sha256sum --check --quiet >&2 || return
        dpkg-deb --extract "$LAYERS/ubuntu-keyring.deb" "$LAYERS/ubuntu-keyring"
        keyring=$LAYERS/ubuntu-keyring$keyring
    fi
    echo "$keyring"
}

# apt_sources SUITE MIRROR
apt_sources() {
    local security
    case $1 in
        noble)
            printf 'deb %s %s main universe\n' "$2" noble "$2" noble-updates
            ;;
        sid)
            printf 'deb %s %s main\n' "$2" sid "$2" experimental
            ;;
        *)
            echo "deb $2 $1 main"
            security=$(uri_like "$1" -security)
            # of released suites
            if [ -n "$security" ] && [ "$1" != forky ]; then echo "deb $security $1-security main"; fi
            ;;
    esac
}

# How this machine reaches mirrors and registries, its new one does.
host_settings() {
    local file
    apt-config dump | grep -E '^Acquire::(https?|Check-|Retries|ForceIPv)' >"$1/etc/apt/apt.conf.d/90host" || true
    for file in /etc/pip.conf /usr/local/share/ca-certificates/*.crt "$HOME"/{.m2/settings.xml,.config/go/env}; do
        [ ! -e "$file" ] || install -D -m 644 "$file" "$1$file"
    done
    chroot "$1" update-ca-certificates
}

# bootstrap SUITE FOLDER: a system with git and nothing else
bootstrap() {
    local suite=$1 root=$2 mirror keyring
    keyring=$(keyring_of "$suite")
    mirror=$(uri_like "$suite")
    if [ "$suite" = noble ]; then mirror=$(ubuntu_mirror); fi
    # it doesn't live long enough for its writes to be waited for
    install -D /dev/stdin "$root/etc/dpkg/dpkg.cfg.d/unsafe-io" <<<force-unsafe-io
    debootstrap --variant=minbase --include=git,ca-certificates --keyring="$keyring" \
        "$suite" "$root" ${mirror:+"$mirror"} "$(debootstrap_script "$suite")"
    mirror=$(awk '/^deb / { print $2; exit }' "$root/etc/apt/sources.list")
    apt_sources "$suite" "$mirror" >"$root/etc/apt/sources.list"
    if [ "$suite" = sid ]; then
        # else apt takes nothing from there that sid has too, as libpq
        printf 'Package: src:postgresql-19\nPin: release a=experimental\nPin-Priority: 990\n' \
            >"$root/etc/apt/preferences.d/postgresql"
    fi
    host_settings "$root"
    rm -f "$root"/var/cache/apt/archives/*.deb
}

# make_layer NAME FOLDER
make_layer() {
    case $1 in
        tools) change "$2" bookworm sh -c "apt-get update && apt-get install -y --no-install-recommends $(xargs <<<"$tools")" ;;
        assertions) change "$2" tools:bookworm /checkout/test/machines/build-assertions ;;
        *) bootstrap "$1" "$2" ;;
    esac
}

# change FOLDER LAYERS COMMAND...: what the command changes in a machine of these layers becomes FOLDER
change() {
    local folder=$1
    shift
    rm -rf --one-file-system "$folder.machine"
    test/machines/enter "$folder.machine" "$@"
    rm -rf "$folder.machine"/changes/var/cache/apt/archives
    mv "$folder.machine/changes" "$folder"
    rm -rf "$folder.machine"
}

# layer NAME: makes it unless it is there; where it fails, the end of the log is shown
layer() {
    local new=$LAYERS/$1.new
    (
        flock 9
        [ ! -e "$LAYERS/$1" ] || exit 0
        rm -rf --one-file-system "$new"
        # in a shell of its own, which stops at an error
        if "$0" --layer "$1" "$new" >"$LAYERS/$1.log" 2>&1; then
            mv "$new" "$LAYERS/$1"
        else
            tail -n 30 "$LAYERS/$1.log"
            exit 1
        fi
    ) 9>"$LAYERS/$1.lock"
}
