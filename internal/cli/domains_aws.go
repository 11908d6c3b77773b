package cli

import (
	"context"
	"fmt"

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
	return nil
}
