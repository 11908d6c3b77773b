package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
)

// printDomainsOnAWS prints how far the domains of a stage are.
func (p *program) printDomainsOnAWS(ctx context.Context, b *awsBackend, ref aloft.StageRef) error {
	all, err := b.platform.Domains(ctx, ref)
	if err != nil {
		return err
	}
	if p.flags.json {
		return p.printJSON(all)
	}
	rows := [][]string{{"DOMAIN", "REGION", "CERTIFICATE", "LEADS TO", "DNS"}}
	records, seen := []aws.Record{}, map[aws.Record]bool{}
	for _, d := range all {
		certificate, dns := d.Certificate, "by hand"
		if d.Reason != "" {
			certificate += " (" + d.Reason + ")"
		}
		if d.Zone != "" {
			dns = "zone " + d.Zone
		}
		rows = append(rows, []string{d.Domain, d.Region, certificate, d.Target, dns})
		for _, record := range d.Records {
			if !seen[record] {
				records = append(records, record)
			}
			seen[record] = true
		}
	}
	if err := table(p.out, rows); err != nil {
		return err
	}
	for i, record := range records {
		if i == 0 {
			fmt.Fprintln(p.out, "\nThese records have to be, where the DNS of the domains is:")
		}
		fmt.Fprintf(p.out, "  %s %s %s\n", clean(record.Name), clean(record.Type), clean(record.Value))
	}
	p.printRecordNotes(all)
	told := map[string]bool{}
	for _, d := range all {
		if len(d.NameServers) > 0 && !told[d.Zone] {
			fmt.Fprintf(p.out, "\nThe certificates wait for the zone %s, which counts once whoever keeps the zone above it (the registrar, for a registered\n"+
				"domain) names its name servers:\n  %s\n", clean(d.Zone), cleanLines(strings.Join(d.NameServers, "\n  ")))
		}
		told[d.Zone] = true
	}
	return nil
}

// ensureZone has the account have a Route 53 zone for domains of a stage, and says what is to do elsewhere if it is new.
func (p *program) ensureZone(ctx context.Context, b backend, stage aloft.Stage, name string, domains []string) error {
	on, is := b.(*awsBackend)
	if !is {
		return aloft.Errorf(aloft.Invalid, "%s is not on AWS, where zones are", stage.StageRef).WithHint("leave --zone out, and lead the domains to this machine where their DNS is")
	}
	zone, err := on.platform.EnsureZone(ctx, stage.StageRef, name, domains)
	if err != nil || !zone.Made {
		return err
	}
	fmt.Fprintf(p.err, "made the zone %s (%s), which costs $0.50 a month and stays until you delete it\n", clean(zone.Name), clean(zone.ID))
	if zone.Above != "" {
		fmt.Fprintf(p.err, "its name servers are entered in the zone %s\n", clean(zone.Above))
	} else {
		fmt.Fprintf(p.err, "Records that the domain has elsewhere, of mail for instance, have to be made in it first. Then have these name servers entered\n"+
			"where %s is registered (of a zone below another one: as NS records there). Until then certificates wait:\n  %s\n",
			clean(zone.Name), cleanLines(strings.Join(zone.NameServers, "\n  ")))
	}
	if !slices.ContainsFunc(domains, func(domain string) bool { return !slices.Contains(stage.Domains, domain) }) {
		fmt.Fprintf(p.err, "The records of domains that the stage has come with its next deploy: aloft up %s --force\n", clean(stage.Stage))
	}
	return nil
}

// printRecordNotes says what DNS cannot have, for domains whose records are made by hand: a CNAME at the top of a zone, and several of
// one name.
func (p *program) printRecordNotes(all []aws.Domain) {
	home, targets, names := map[string]string{}, map[string][]string{}, []string{}
	top := false
	for _, d := range all {
		top = top || slices.ContainsFunc(d.Records, func(r aws.Record) bool { return r.Type == aws.TypeALIAS })
		if d.Zone != "" || d.Target == "" {
			continue
		}
		if home[d.Domain] == "" {
			home[d.Domain], names = d.Region, append(names, d.Domain)
		}
		targets[d.Domain] = append(targets[d.Domain], d.Region+" "+d.Target)
	}
	if top {
		fmt.Fprintln(p.out, "\nAt the top of a zone DNS has no CNAME: ALIAS is what providers have instead, some as ANAME or flattened CNAME. Where yours\n"+
			"has none, use a name below it (www), or a zone of Route 53.")
	}
	for _, name := range names {
		if len(targets[name]) > 1 {
			fmt.Fprintf(p.out, "\nDNS has one such record for a name: with it %s leads to %s alone. A provider that routes by latency or place may lead\nit to all: %s.\n",
				clean(name), clean(home[name]), clean(strings.Join(targets[name], ", ")))
		}
	}
}
