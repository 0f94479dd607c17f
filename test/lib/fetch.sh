# Sourced by setup.sh: fetches into CACHE what is no package.
# shellcheck shell=bash

# fetch WHAT FOLDER COMMAND...: makes FOLDER by COMMAND unless an earlier run did
fetch() {
    local what=$1 folder=$2
    shift 2
    [ ! -e "$folder/ready" ] || return 0
    say "fetching $what"
    mkdir -p "$CACHE"
    (
        flock 9
        if [ ! -e "$folder/ready" ]; then
            rm -rf "$folder"
            "$@"
            touch "$folder/ready"
        fi
    ) 9>"$CACHE/lock"
}

# hash_of FILE...: changes with their contents
hash_of() {
    cat "$@" | sha256sum | cut -c 1-12
}

# venv_folder REQUIREMENTS
venv_folder() {
    echo "$CACHE/venv-$(hash_of "$1" <(/usr/bin/python3 --version 2>&1))"
}

make_venv() {
    # not just python3, which may be one that only the caller can read
    quietly /usr/bin/python3 -m venv "$VENV"
    quietly "$VENV/bin/pip" install --no-cache-dir --requirement "$1"
}

# fetch_venv REQUIREMENTS: sets VENV, a Python environment with these packages
fetch_venv() {
    VENV=$(venv_folder "$1")
    fetch "Python packages ($1)" "$VENV" make_venv "$1"
}

dynamodb_local_folder() {
    echo "$CACHE/dynamodb-local-$(hash_of test/pom.xml)"
}

# Maven's own files go again: they would lie in the caller's home.
copy_dynamodb_local() {
    MAVEN_OPTS="${MAVEN_OPTS:-} -XX:-UsePerfData" quietly mvn --batch-mode --file test/pom.xml \
        "-Dmaven.repo.local=$CACHE/maven" dependency:copy-dependencies "-DoutputDirectory=$DYNAMODB_LOCAL"
    rm -rf "$CACHE/maven"
}

# Sets DYNAMODB_LOCAL, the folder of its jars.
fetch_dynamodb_local() {
    DYNAMODB_LOCAL=$(dynamodb_local_folder)
    fetch "DynamoDB Local" "$DYNAMODB_LOCAL" copy_dynamodb_local
}

metadata_mock=github.com/aws/amazon-ec2-metadata-mock/cmd@v1.12.0

metadata_mock_folder() {
    echo "$CACHE/ec2-metadata-mock-${metadata_mock#*@v}"
}

# Go's own files go again, those included that it would keep in the caller's home. Only its settings are the caller's.
build_metadata_mock() {
    local folder=$1 work=$CACHE/go
    rm -rf "$work"
    quietly env "GOENV=${GOENV:-${XDG_CONFIG_HOME:-$HOME/.config}/go/env}" "XDG_CONFIG_HOME=$work/config" \
        "GOPATH=$work/path" "GOMODCACHE=$work/modules" "GOCACHE=$work/cache" "GOBIN=$work" CGO_ENABLED=0 \
        go install -modcacherw "$metadata_mock"
    install -D "$work/cmd" "$folder/ec2-metadata-mock"
    rm -rf "$work"
}

# Sets EC2_METADATA_MOCK, the program.
fetch_metadata_mock() {
    local folder
    folder=$(metadata_mock_folder)
    fetch "ec2-metadata-mock" "$folder" build_metadata_mock "$folder"
    # shellcheck disable=SC2034
    EC2_METADATA_MOCK=$folder/ec2-metadata-mock
}
