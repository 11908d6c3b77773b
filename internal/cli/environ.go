package cli

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/buildpack"
)

const defaultPath = "PATH=/usr/local/bin:/usr/bin:/bin"

// appEnv is what of the server's environment reaches apps: where programs are, the locale and certificate authorities.
func appEnv(env map[string]string) []string {
	// Prefixes of names; "=" ends a whole name.
	prefixes := []string{
		"PATH=", "LANG=", "LC_", "TZ=",
		"SSL_CERT_", "CURL_CA_BUNDLE=", "REQUESTS_CA_BUNDLE=", "NODE_EXTRA_CA_CERTS=",
		"JAVA_HOME=", "PYENV_ROOT=", "RBENV_ROOT=", "NVM_DIR=", "GEM_HOME=", "GEM_PATH=", "GOROOT=",
	}
	return slices.DeleteFunc(assignments(env), func(kv string) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(kv, prefix) })
	})
}

// buildEnv is what of the server's environment reaches builds.
func buildEnv(env map[string]string) []string { return buildpack.Environ(assignments(env)) }

// assignments returns an environment as "K=V", sorted. There is always a PATH.
func assignments(env map[string]string) []string {
	all := make([]string, 0, len(env)+1)
	for name, value := range env {
		if name != "PATH" || value != "" {
			all = append(all, name+"="+value)
		}
	}
	if env["PATH"] == "" {
		all = append(all, defaultPath)
	}
	slices.Sort(all)
	return all
}
