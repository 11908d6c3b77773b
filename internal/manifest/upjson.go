package manifest

import (
	"github.com/aloft-run/aloft"
)

func decodeUp(d *document) (layer, error) {
	d.foreign = true
	n, err := parseJSON(d)
	if err != nil || n.kind == nothing {
		return layer{}, err
	}
	f, err := upShape().read(d, n)
	if err != nil {
		return layer{}, err
	}
	if f.kind == "static" {
		s := Static{}
		if f.base.Static != nil {
			s = *f.base.Static
		}
		s = s.complete()
		s.Only = true
		f.base.Static, f.base.Start = &s, ""
	}
	return f.layer, nil
}

// upFile is what an up.json says.
type upFile struct {
	layer
	kind string // "static" or "server"
}

// upShape is the table of up.json, the file of apex/up.
func upShape() shape[upFile] {
	keys := []key[upFile]{
		bind(KeyDoc{Key: "name"}, title(), func(f *upFile) *string { return &f.base.Name }),
		bind(KeyDoc{Key: "profile"}, anyText(), func(f *upFile) *string { return &f.base.onAWS().Profile }),
		bind(KeyDoc{Key: "regions"}, regions(), func(f *upFile) *[]string { return &f.base.onAWS().Regions }),
		bind(KeyDoc{Key: "type"}, oneOf("static", "server"), func(f *upFile) *string { return &f.kind }),
		bind(KeyDoc{Key: "static"}, upStatic(), func(f *upFile) **Static { return &f.base.Static }),
		bind(KeyDoc{Key: "stages"}, mapOf("STAGE", names("stage"), upStage()), func(f *upFile) *map[string]Settings { return &f.stages }),
		remark[upFile]("description", ""),
	}
	keys = append(keys, lift(upSettings(), func(f *upFile) *Settings { return &f.base })...)
	keys = append(keys, unused[upFile]("dns", "headers", "redirects", "inject", "cors",
		"error_pages", "logs", "tags", "alerts", "actions", "openapi", "team")...)
	return checked(objectOf(keys...), func(d *document, n node, f *upFile) error { return settleUp(d, n, &f.base) })
}

func upStage() shape[Settings] {
	keys := append(upSettings(), remark[Settings]("domain", "is not used: add the domain with aloft domains add"))
	keys = append(keys, unused[Settings]("zone", "path", "cert")...)
	return checked(objectOf(keys...), settleUp)
}

// upSettings are the keys of up.json that a stage may override. A command for local development only is not one.
func upSettings() []key[Settings] {
	proxy := []key[Settings]{
		bind(KeyDoc{Key: "command"}, line(), func(s *Settings) *string { return &s.Start }),
		bind(KeyDoc{Key: "timeout"}, seconds(), func(s *Settings) *aloft.Duration { return &s.Timeout }),
		bind(KeyDoc{Key: "listen_timeout"}, seconds(), func(s *Settings) *aloft.Duration { return &s.Health.Timeout }),
		bind(KeyDoc{Key: "shutdown_timeout"}, seconds(), func(s *Settings) *aloft.Duration { return &s.Drain }),
	}
	return []key[Settings]{
		bind(KeyDoc{Key: "hooks"}, hooksShape(), func(s *Settings) *Hooks { return &s.Hooks }),
		bind(KeyDoc{Key: "environment"}, mapOf("NAME", envNames(), anyText()), func(s *Settings) *map[string]string { return &s.Env }),
		group("proxy", append(proxy, unused[Settings]("backoff")...)...),
		group("lambda", upLambda()...),
	}
}

func upStatic() shape[*Static] {
	s := objectOf(
		bind(KeyDoc{Key: "dir"}, directory(), func(s *Static) *string { return &s.Dir }),
		bind(KeyDoc{Key: "prefix"}, anyText(), func(s *Static) *string { return &s.Prefix }),
	)
	return shape[*Static]{read: func(d *document, n node) (*Static, error) {
		v, err := s.read(d, n)
		if v.Dir == "" { // up serves no files then, unless the type is static
			return nil, err
		}
		v = v.complete()
		return &v, err
	}}
}
