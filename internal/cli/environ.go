package cli

import (
	"slices"
	"strings"
)

// What of the server's environment reaches apps and builds: prefixes of names, "=" ends a whole name.
func appNames() []string {
	return []string{
		"PATH=", "LANG=", "LC_", "TZ=",
		"SSL_CERT_", "CURL_CA_BUNDLE=", "REQUESTS_CA_BUNDLE=", "NODE_EXTRA_CA_CERTS=",
		"JAVA_HOME=", "PYENV_ROOT=", "RBENV_ROOT=", "NVM_DIR=", "GEM_HOME=", "GEM_PATH=", "GOROOT=",
	}
}

func buildNames() []string {
	return append(appNames(),
		"HOME=", "USER=", "LOGNAME=", "SHELL=", "TMPDIR=", "XDG_CACHE_HOME=",
		"HTTP_PROXY=", "HTTPS_PROXY=", "NO_PROXY=", "ALL_PROXY=", "http_proxy=", "https_proxy=", "no_proxy=", "all_proxy=",
		"GIT_SSL_", "NIX_SSL_", "SSH_AUTH_SOCK=",
		"NPM_CONFIG_", "npm_config_", "NODE_", "PNPM_", "YARN_", "COREPACK_",
		"PIP_", "PYTHON", "UV_", "POETRY_", "PIPENV_",
		"GOPROXY=", "GOPRIVATE=", "GONOSUMDB=", "GONOPROXY=", "GOSUMDB=", "GOFLAGS=", "GOTOOLCHAIN=", "GOPATH=", "GOCACHE=", "GOMODCACHE=",
		"CGO_", "CARGO_", "RUSTUP_", "RUST_",
		"JDK_", "JAVA_TOOL_OPTIONS=", "MAVEN_", "GRADLE_",
		"BUNDLE_", "RUBY",
	)
}

func appEnv(env map[string]string) []string { return pick(env, appNames()) }

func buildEnv(env map[string]string) []string { return pick(env, buildNames()) }

// pick returns the variables whose assignment begins with one of the prefixes, sorted. There is always a PATH.
func pick(env map[string]string, prefixes []string) []string {
	var picked []string
	for name, value := range env {
		kv := name + "=" + value
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(kv, prefix) }) {
			picked = append(picked, kv)
		}
	}
	if env["PATH"] == "" {
		picked = append(picked, "PATH=/usr/local/bin:/usr/bin:/bin")
	}
	slices.Sort(picked)
	return picked
}
