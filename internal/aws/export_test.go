package aws

// RecordText is recordText.
func RecordText(text string) string { return recordText(text) }

// WaitsFor is waitsFor.
func WaitsFor(record, zone string) string { return waitsFor(record, zone) }
