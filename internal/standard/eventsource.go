package standard

import (
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/eventsource/schedule"
)

// EventSources returns the kinds of event sources.
func EventSources() eventsource.Set {
	return eventsource.Set{schedule.Kind{}}
}
