package cli

import (
	"context"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// located lists the resources of a server with their addresses.
type located struct{ server *server }

var _ aloft.ResourceLister = located{}

// Resources implements aloft.ResourceLister.
func (l located) Resources(ctx context.Context, ref aloft.StageRef) ([]aloft.ResourceStatus, error) {
	list, err := l.server.platform.Resources(ctx, ref)
	endpoint := l.server.endpoint()
	for i, r := range list {
		switch {
		case endpoint == "": // the server has HTTPS only
		case r.Type == aloft.Bucket:
			list[i].URL = endpoint + "/" + r.Name
		case r.Type == aloft.Queue:
			list[i].URL = resource.QueueURL(endpoint, r.Name)
		default:
			list[i].URL = endpoint
		}
	}
	return list, err
}
