package stack

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// route is what leads requests to a handler function.
type route struct {
	method   string // "ANY" is every one
	path     string // of API Gateway: "/items/{id}", "/files/{proxy+}"
	function aloft.Function
}

// routes are those of all handlers, as API Gateway has them. Patterns of net/http say more than it can: a host is refused; GET
// has HEAD beside it; what is below a path is a greedy variable.
func (s *render) routes() ([]route, error) {
	var all []route
	seen := map[string]bool{}
	for _, f := range s.functions {
		if f.Kind != aloft.Handler {
			continue
		}
		for _, pattern := range f.Patterns() {
			list, err := routesOf(f, pattern)
			if err != nil {
				return nil, err
			}
			for _, r := range list {
				if key := r.method + " " + r.path; !seen[key] {
					seen[key] = true
					all = append(all, r)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b route) int { return strings.Compare(a.path+" "+a.method, b.path+" "+b.method) })
	return all, nil
}

// greedy is the name of the variable for what is below a path that has no name itself.
const greedy = "{proxy+}"

func routesOf(f aloft.Function, pattern string) ([]route, error) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "ANY", pattern
	}
	path = strings.TrimSpace(path)
	if !strings.HasPrefix(path, "/") {
		return nil, aloft.Errorf(aloft.Invalid, "the route %q of %s names a host, and API Gateway goes by paths only", pattern, f.Name).
			WithHint("leave the host out, or have the app look at the Host header")
	}
	var paths []string
	dir, last := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case last == "{$}":
		paths = []string{exact(dir)}
	case last == "": // it and all below it; API Gateway takes no path that ends in a slash
		paths = []string{exact(dir), dir + greedy}
	case strings.HasSuffix(last, "...}"):
		paths = []string{dir + strings.TrimSuffix(last, "...}") + "+}"}
		if dir == "/" {
			paths = append(paths, "/")
		}
	default:
		paths = []string{path}
	}
	methods := []string{method}
	if method == "GET" {
		methods = append(methods, "HEAD")
	}
	var all []route
	for _, p := range paths {
		for _, m := range methods {
			all = append(all, route{m, p, f})
		}
	}
	return all, nil
}

// exact is a directory as a path of its own.
func exact(dir string) string {
	if dir == "/" {
		return dir
	}
	return strings.TrimSuffix(dir, "/")
}
