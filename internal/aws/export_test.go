package aws

// RecordText is recordText.
func RecordText(text string) string { return recordText(text) }
