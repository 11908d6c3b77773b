package buildpack

import (
	"slices"
	"strings"
)

// Environ returns what a build may see of the machine's environment ("K=V"): where programs and the user's configuration
// are, and what configures the clients of registries (proxies, certificates, mirrors, chosen tool versions). Everything
// else stays out, so that a build is the same in every shell and sees no credentials by accident. LANG and CI are set.
func Environ(machine []string) []string {
	env := []string{"CI=1", "LANG=C.UTF-8"}
	for _, kv := range machine {
		if name, _, ok := strings.Cut(kv, "="); ok && passes(name) {
			env = append(env, kv)
		}
	}
	slices.Sort(env)
	return env
}

func passes(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO",
		"NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NPM_TOKEN", "NVM_DIR", "VOLTA_HOME", "ASDF_DIR", "ASDF_DATA_DIR",
		"PYENV_ROOT", "PYENV_VERSION", "RBENV_ROOT", "RBENV_VERSION",
		"GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOAUTH", "GOTOOLCHAIN", "GOROOT",
		"CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "RUSTUP_AUTO_INSTALL",
		"JAVA_HOME", "MAVEN_HOME", "M2_HOME", "MAVEN_ARGS", "JAVA_TOOL_OPTIONS", "GRADLE_USER_HOME":
		return true
	}
	lower := strings.ToLower(name)
	for _, prefix := range []string{"npm_config_", "pip_", "uv_", "yarn_", "corepack_", "cargo_registries_", "cargo_http_", "cargo_net_", "bundle_", "mvnw_"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return lower == "http_proxy" || lower == "https_proxy" || lower == "no_proxy" || lower == "all_proxy"
}
