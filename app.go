package aloft

import (
	"context"
	"strings"
	"time"
)

// App is a named project. It owns stages.
type App struct {
	Name      string    `json:"name"`
	Key       []byte    `json:"-"` // the app's data key, wrapped by the server's master key (package seal)
	CreatedAt time.Time `json:"createdAt"`
}

// What names consist of. Regular expressions would take more time and room than all else in the shim, which starts with every
// environment of Lambda.
const (
	lowerCase = "abcdefghijklmnopqrstuvwxyz"
	upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits    = "0123456789"
)

// consists reports whether a text has no other bytes than those.
func consists(text, of string) bool { return strings.Trim(text, of) == "" }

// CheckName returns an Invalid error unless name may name an app, a stage or a function. What says which, for the message.
// This is the only place that knows the rule: a lower-case letter, then at most 39 letters, digits and dashes.
func CheckName(what, name string) error {
	if name != "" && len(name) <= 40 && consists(name, lowerCase+digits+"-") && consists(name[:1], lowerCase) && name[len(name)-1] != '-' {
		return nil
	}
	return Errorf(Invalid, "%s name %q is not allowed", what, name).
		WithHint("use 1 to 40 lower-case letters, digits and dashes, starting with a letter and not ending with a dash")
}

// AppService keeps apps, stages, releases and aliases. Implementations: sqlite, s3, mem. All pass the suite appservicetest.
type AppService interface {
	AppStore
	StageStore
	ReleaseStore
	AliasStore
}

// AppStore keeps apps.
type AppStore interface {
	// CreateApp stores a new app. It returns Invalid for a bad name and Conflict if the app exists.
	CreateApp(ctx context.Context, app App) error
	// App returns NotFound if there is no such app.
	App(ctx context.Context, name string) (App, error)
	// Apps lists all apps by name.
	Apps(ctx context.Context) ([]App, error)
	// DeleteApp deletes an app that has no stage. It returns NotFound if there is no such app, and Conflict if it has stages, as
	// another process may have made one since the caller looked.
	DeleteApp(ctx context.Context, name string) error
}
