package node

import "strings"

// site returns the directory into which a package's build script writes a site of files, "" if it is not known to. Tools
// that make servers (Next, Nuxt, Remix …) are not here: their packages have a start script.
func site(m *manifest) string {
	if m.Scripts["build"] == "" || m.needs("@sveltejs/kit") && !m.needs("@sveltejs/adapter-static") {
		return ""
	}
	for _, known := range []struct{ dependency, dir string }{
		{"@sveltejs/adapter-static", "build"},
		{"react-scripts", "build"},
		{"@docusaurus/core", "build"},
		{"gatsby", "public"},
		{"@11ty/eleventy", "_site"},
		{"astro", "dist"},
		{"@vue/cli-service", "dist"},
		{"parcel", "dist"},
		{"vite", "dist"},
	} {
		if m.needs(known.dependency) {
			return known.dir
		}
	}
	return ""
}

// developmentServer reports whether a start script runs a tool's server for development: what it shows is built for
// production by the build script.
func developmentServer(script string) bool {
	for _, prefix := range []string{"react-scripts start", "docusaurus start", "gatsby develop", "eleventy --serve", "astro dev", "vue-cli-service serve", "parcel", "vite"} {
		if script == prefix || strings.HasPrefix(script, prefix+" ") {
			return true
		}
	}
	return false
}
