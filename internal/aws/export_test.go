package aws

import "context"

// RecordText is recordText.
func RecordText(text string) string { return recordText(text) }

// WaitsFor is waitsFor.
func WaitsFor(record, zone string) string { return waitsFor(record, zone) }

// NameServers is nameServers.
func NameServers(ctx context.Context, p *Platform, id string) ([]string, error) {
	return p.nameServers(ctx, id)
}
