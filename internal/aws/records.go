package aws

import (
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// The types of records that lead a domain to its API.
const (
	TypeCNAME = "CNAME"
	// TypeALIAS is no type of DNS but what many providers have in place of a CNAME at the top of a zone, where DNS has none (RFC 1034,
	// 3.6.2); they call it ANAME or flattened CNAME, too.
	TypeALIAS = "ALIAS"
)

// leading is the record that leads a domain to a target where aloft makes none.
func leading(domain, target string) Record {
	if atTop(domain) {
		return Record{Name: domain, Type: TypeALIAS, Value: target}
	}
	return Record{Name: domain, Type: TypeCNAME, Value: target}
}

// atTop reports whether a domain must be the top of a zone, as what is registered is. One further down may be one as well.
func atTop(domain string) bool {
	registered, err := publicsuffix.EffectiveTLDPlusOne(domain)
	return err == nil && registered == strings.TrimSuffix(domain, ".")
}

// recordNotice says which record a domain needs by hand, or that in this region it can have none: DNS has one CNAME for a name, which is
// that of the home region.
func (r *regional) recordNotice(domain, target string) string {
	home := r.release.AWS.Regions[0]
	if r.name != home {
		return fmt.Sprintf("%s: %s leads to %s alone, as DNS has one such record for a name, unless its provider routes between regions: the target here is %s",
			r.name, domain, home, target)
	}
	record := leading(domain, target)
	text := fmt.Sprintf("%s: the DNS of %s needs this record, if it has not: %s %s %s", r.name, domain, record.Name, record.Type, record.Value)
	if record.Type == TypeALIAS {
		text += " (or ANAME: at the top of a zone DNS has no CNAME)"
	}
	return text + "; aloft domains --stage " + r.release.Stage + " has it, too"
}
