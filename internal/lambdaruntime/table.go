package lambdaruntime

import (
	"maps"
	"slices"
)

// supported are the runtimes that AWS offers, with the day from which each is deprecated, "" if none is known. As of
// 2026-08-19 (cfn-lint's table of Lambda runtimes, read on 2026-11-20).
func supported() map[string]string {
	return map[string]string{
		"nodejs24.x": "2028-04-30", "nodejs22.x": "2027-04-30",
		"python3.14": "2029-06-30", "python3.13": "2029-06-30", "python3.12": "2028-10-31", "python3.11": "2027-06-30",
		"java25": "2029-06-30", "java21": "2029-06-30", "java17": "2027-06-30", "java11": "2027-06-30", "java8.al2": "2027-06-30",
		"java17.al2023": "", "java11.al2023": "", "java8.al2023": "",
		"dotnet10": "2028-11-14",
		"ruby4.0":  "2029-03-31", "ruby3.4": "2028-03-31", "ruby3.3": "2027-03-31",
		"provided.al2023": "2029-06-30",
	}
}

// deprecation says when AWS gave a runtime up.
type deprecation struct{ on, create, update string }

// deprecated are the runtimes that AWS has given up; of the same table.
func deprecated() map[string]deprecation {
	const create, update = "2027-02-01", "2027-03-03"
	return map[string]deprecation{
		"provided.al2": {"2026-07-31", create, update},
		"nodejs20.x":   {"2026-04-30", create, update},
		"python3.10":   {"2026-10-31", create, update},
		"python3.9":    {"2025-12-15", create, update},
		"dotnet8":      {"2026-11-10", create, update},
		"ruby3.2":      {"2026-03-31", create, update},
		"nodejs18.x":   {"2025-09-01", create, update},
		"go1.x":        {"2024-01-08", "2024-02-08", update},
		"java8":        {"2024-01-08", "2024-02-08", update},
	}
}

// Names are the runtimes that AWS offers, sorted.
func Names() []string { return slices.Sorted(maps.Keys(supported())) }
