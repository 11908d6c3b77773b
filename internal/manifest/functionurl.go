package manifest

import "cmp"

// FunctionURL is what a project says about the address of a handler function.
type FunctionURL struct {
	Off    bool
	Auth   string // "none" or "iam"; "" if not said
	Stream *bool  // nil if not said
}

// urlKey gives a function an address.
func urlKey() key[FunctionSettings] {
	short := yesNo()
	long := objectOf(
		bind(KeyDoc{Key: "auth", Default: "none", Meaning: "Who may ask: anybody (none), or who signs with an access key of the server (iam)."},
			oneOf("none", "iam"), func(u *FunctionURL) *string { return &u.Auth }),
		bind(KeyDoc{Key: "stream", Default: "false", Meaning: "Whether answers are sent while they come."},
			said(yesNo()), func(u *FunctionURL) **bool { return &u.Stream }),
	)
	pair := either(shape[FunctionURL]{wants: short.wants, like: short.like, schema: short.schema, read: func(d *document, n node) (FunctionURL, error) {
		on, err := short.read(d, n)
		return FunctionURL{Off: !on}, err
	}}, long)
	return bind(KeyDoc{Key: "url", Default: "false", Meaning: "Whether a handler has an address of its own: a function URL."},
		said(pair), func(f *FunctionSettings) **FunctionURL { return &f.URL })
}

// said reads what can also be left unsaid, which is nil.
func said[T any](s shape[T]) shape[*T] {
	return shape[*T]{s.wants, s.like, s.schema, s.keys, func(d *document, n node) (*T, error) {
		v, err := s.read(d, n)
		return &v, err
	}}
}

// over returns what u and base say together; where both speak, u wins.
func (u *FunctionURL) over(base *FunctionURL) *FunctionURL {
	switch {
	case u == nil && base == nil:
		return nil
	case u == nil:
		u = base
	case base == nil:
		base = u
	}
	return &FunctionURL{Off: u.Off, Auth: cmp.Or(u.Auth, base.Auth), Stream: cmp.Or(u.Stream, base.Stream)}
}
