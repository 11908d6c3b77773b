package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/caddyevents" // the tls app needs it
	_ "github.com/caddyserver/caddy/v2/modules/caddypki"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
	_ "github.com/caddyserver/caddy/v2/modules/caddytls/standardstek"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/logging"

	"github.com/aloft-run/aloft/internal/route"
)

func init() { // Caddy knows modules by registration only
	caddy.RegisterModule((*app)(nil))
	caddy.RegisterModule((*permission)(nil))
	caddy.RegisterModule((*logWriter)(nil))
}

type object = map[string]any

// caddyConfig is the one configuration that Caddy gets. It switches off whatever Caddy would do on its own: the admin
// endpoint, saving its configuration, putting its root certificate into the system's trust store.
func (g *Gateway) caddyConfig() []byte {
	apps := object{"aloft": object{}}
	if g.tls != nil {
		apps["pki"] = object{"certificate_authorities": object{"local": object{"name": "aloft", "install_trust": false}}}
		apps["tls"] = object{"disable_storage_clean": true, "automation": object{ // cleaning writes an id into the home directory

			"policies": []object{
				{"subjects": []string{"localhost", "*.localhost"}, "on_demand": true, "issuers": []object{{"module": "internal"}}, "disable_ocsp_stapling": true},
				{"on_demand": true},
			},
			"on_demand": object{"permission": object{"module": "aloft"}},
		}}
	}
	config, _ := json.Marshal(object{ // literals: cannot fail
		"admin":   object{"disabled": true, "config": object{"persist": false}},
		"storage": object{"module": "file_system", "root": g.config.Dir},
		"logging": object{"logs": object{"default": object{
			"level": "WARN", "writer": object{"output": "aloft"}, "encoder": object{"format": "json"},
		}}},
		"apps": apps,
	})
	return config
}

// permission lets Caddy obtain certificates for hosts that the route table has, and for no others.
type permission struct{ table *route.Table }

var (
	_ caddytls.OnDemandPermission = (*permission)(nil)
	_ caddy.Provisioner           = (*permission)(nil)
)

// CaddyModule says what the module is called and how it is made.
func (*permission) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "tls.permission.aloft", New: func() caddy.Module { return new(permission) }}
}

// Provision finds the gateway that is being started.
func (p *permission) Provision(caddy.Context) error {
	p.table = running.gateway.config.Table // Start holds the lock
	return nil
}

// CertificateAllowed is asked in the handshake when there is no certificate for the name yet.
func (p *permission) CertificateAllowed(_ context.Context, name string) error {
	if p.table.Lookup(strings.ToLower(name)) == nil {
		return fmt.Errorf("%s: %w: no app has this host", name, caddytls.ErrPermissionDenied)
	}
	return nil
}
