package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newDomains(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "domains [command] [flags]",
		Short: "List and change the domains of a stage",
		Long: `A stage answers at its own host and at the domains added to it. Their names must lead to this machine. Without a
command it lists them (the same as domains list). domains:add and the like are the same as domains add.

On AWS a domain gets a certificate and, where the account has its Route 53 zone, the DNS records. Else the deploy waits
for a record that proves the domain, and says which; so does this command, from another terminal too: the state of each
certificate, where the domain is to lead, and which records to make. That is one for each domain, to the home region:
DNS has one CNAME for a name, and none at the top of a zone, where an ALIAS (ANAME) takes its place. A DNS that routes
between regions may use the targets of all.

With --json it prints an array of domains; on AWS an array of {"domain", "region", "certificate" (ACM's status),
"reason", "target", "zone", "nameServers", "records": [{"name", "type", "value"}]}, records being those to make by
hand. The record that leads the domain stands at the home region; its type is CNAME or ALIAS. The name servers are those
of the zone, while the certificate waits: the zone above it, which the registrar keeps, has to name them.

Exit status: 0 it worked; 1 a domain belongs to another stage; 2 the input was wrong.`,
		Example: `  aloft domains
  aloft domains add shop.example www.shop.example --stage production`,
		Args: subcommandOnly,
		RunE: func(c *cobra.Command, _ []string) error { return runDomains(c.Context(), p, nil) },
	})
	c.AddCommand(newCommand(cobra.Command{
		Use:   "list [flags]",
		Short: "List the domains of a stage",
		Long:  "Lists the domains of a stage besides its own host, on AWS with their certificates and the records to\nmake. With --json: an array.\n\nExit status: 0 printed; 2 there is no such app or stage.",
		Example: `  aloft domains list
  aloft domains list --stage production`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runDomains(c.Context(), p, nil) },
	}), newDomainsAdd(p), newDomainsRemove(p))
	return c
}

func newDomainsAdd(p *program) *cobra.Command {
	var zone string
	c := newCommand(cobra.Command{
		Use:   "add DOMAIN... [flags]",
		Short: "Add domains to a stage",
		Long: `Adds domains to a stage and prints them all. One that the stage has already is left alone.

On AWS, --zone is for domains whose DNS Route 53 is to have: the zone of that name, with public records, is made if the
account has none ($0.50 a month). Its name servers are printed; whoever registered the domain has them entered there.
The zone stays when domains, stages and apps go: other records may be in it.

` + lossHelp + `

Exit status: 0 added; 1 one belongs to another stage, and none was added; 2 one is no domain.`,
		Example: `  aloft domains add shop.example
  aloft domains add shop.example --app shop --stage production
  aloft domains add shop.example www.shop.example --stage production --zone shop.example`,
		Args: between(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			added := lower(args)
			return runDomains(c.Context(), p, func(ctx context.Context, b backend, now aloft.Stage) ([]string, error) {
				all := slices.Concat(now.Domains, added)
				slices.Sort(all)
				if c.Flags().Changed("zone") {
					if err := p.ensureZone(ctx, b, now, zone, added); err != nil {
						return nil, err
					}
				}
				return slices.Compact(all), nil
			})
		},
	})
	c.Flags().StringVar(&zone, "zone", "", "on AWS: the Route 53 zone that has them, such as shop.example; made if missing")
	return c
}

func newDomainsRemove(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:     "remove DOMAIN... [flags]",
		Aliases: []string{"rm", "delete"},
		Short:   "Remove domains from a stage",
		Long: `Removes domains from a stage and prints those that are left.

` + lossHelp + `

Exit status: 0 removed; 2 the stage does not have one of them, and none was removed.`,
		Example: `  aloft domains remove shop.example
  aloft domains rm www.shop.example --stage production`,
		Args: between(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			return runDomains(c.Context(), p, func(_ context.Context, _ backend, stage aloft.Stage) ([]string, error) {
				now := stage.Domains
				for _, domain := range lower(args) {
					if !slices.Contains(now, domain) {
						return nil, aloft.Errorf(aloft.NotFound, "the stage has no domain %q", domain).
							WithHint("it has: %s", strings.Join(append([]string{}, now...), ", "))
					}
				}
				return slices.DeleteFunc(slices.Clone(now), func(d string) bool { return slices.Contains(lower(args), d) }), nil
			})
		},
	})
}

func lower(domains []string) []string {
	out := make([]string, len(domains))
	for i, d := range domains {
		out[i] = strings.ToLower(d)
	}
	return out
}

// domainChange returns the domains that a stage is to have.
type domainChange func(ctx context.Context, b backend, now aloft.Stage) ([]string, error)

// runDomains changes the domains, if change is not nil, and prints them.
func runDomains(ctx context.Context, p *program, change domainChange) error {
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	return p.asking(ctx, func() error { return p.changeDomains(ctx, ref, change) })
}

func (p *program) changeDomains(ctx context.Context, ref aloft.StageRef, change domainChange) error {
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := p.status(ctx, c, ref)
	if err != nil {
		return err
	}
	stage := status.Stage
	if change != nil {
		next, err := change(ctx, c, stage)
		if err != nil {
			return err
		}
		if stage, err = c.SetDomains(ctx, ref, next); err != nil {
			return err
		}
	}
	if b, onAWS := c.(*awsBackend); onAWS && len(stage.Domains) > 0 {
		return p.printDomainsOnAWS(ctx, b, ref)
	}
	if p.flags.json {
		return p.printJSON(append([]string{}, stage.Domains...))
	}
	for _, domain := range stage.Domains {
		fmt.Fprintln(p.out, clean(domain))
	}
	if len(stage.Domains) == 0 && !p.flags.quiet {
		fmt.Fprintf(p.err, "%s has no domains besides its own host\n", ref)
	}
	return nil
}
