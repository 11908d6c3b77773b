package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

// The groups of commands in the help.
const (
	groupDeploy  = "deploy"
	groupLook    = "look"
	groupOperate = "operate"
	groupServer  = "server"
)

const rootHelp = `aloft puts any web server online, exactly as it is.

In the directory of an app, aloft (the same as aloft up) finds out what it is, builds it, makes a
release of it, runs it, and prints its URL. If no aloft server runs yet, one is started in the
background. Every deploy, config change and rollback is a numbered release of a stage; a rollback
restores code and config as they were.

Results go to standard output, everything else to standard error. With --json standard output holds
one JSON value: the result, or {"error": {"code", "message", "hint", "detail"}}.

Exit status: 0 it worked; 1 it failed; 2 the input was wrong (a flag, a name, a file, something that
does not exist); 130 it was interrupted.

Environment: ALOFT_HOME is the directory of all state (default ~/.aloft). ALOFT_HTTP is the gateway's
address when a server starts (default 127.0.0.1:7070, or the next free port). ALOFT_AUTHOR is who
releases (default USER). NO_COLOR turns colours off. For stages on AWS (platform: aws in aloft.yml) the
variables of AWS's tools count: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and others.`

// newRoot returns the command "aloft" with all others below it.
func newRoot(p *program) *cobra.Command {
	var o upOptions
	root := newCommand(cobra.Command{
		Use:   "aloft [command] [flags]",
		Short: "Put any web server online, exactly as it is",
		Long:  rootHelp,
		Example: `  aloft                      deploy the app in this directory to its stage staging
  aloft up production        deploy to production
  aloft rollback             return to the release before
  aloft logs -f              follow the app's log`,
		Args: rootArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runUp(c.Context(), p, o) },
	})
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetFlagErrorFunc(flagError)
	root.Version = thisVersion().Version
	root.SetVersionTemplate("aloft {{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddGroup(&cobra.Group{ID: groupDeploy, Title: "Deploy:"}, &cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupOperate, Title: "Operate:"}, &cobra.Group{ID: groupServer, Title: "Server and tool:"})
	globalFlags(p, root)
	o.flags(root)
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error { return p.readGlobals(c) }
	root.SetHelpCommand(newHelp(root))
	root.SetHelpCommandGroupID(groupServer)
	for group, commands := range commandGroups(p) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	root.AddCommand(colonForms(p)...)
	return root
}

func commandGroups(p *program) map[string][]*cobra.Command {
	return map[string][]*cobra.Command{
		groupDeploy:  {newUp(p), newBuild(p), newPlan(p), newRollback(p), newPromote(p), newConfig(p), newScale(p), newResource(p), newExport(p), newImport(p)},
		groupLook:    {newOpen(p), newURL(p), newStatus(p), newFunctions(p), newResources(p), newIAM(p), newApps(p), newReleases(p), newAliases(p), newLogs(p), newMetrics(p), newCost(p), newRecords(p), newTestEvents(p)},
		groupOperate: {newInvoke(p), newDeadLetters(p), newEventSources(p), newRecord(p), newReplay(p), newRun(p), newRestart(p), newStop(p), newUnlock(p), newDomains(p), newDestroy(p), newCredentials(p)},
		groupServer:  {newServe(p), newUpgrade(p), newDoctor(p), newVersion(p), newSchema(p), newCompletion(p)},
	}
}

// colonForms are the subcommands under the names users of other tools type: config:set for config set.
func colonForms(p *program) []*cobra.Command {
	var forms []*cobra.Command
	for _, parent := range []*cobra.Command{newConfig(p), newResource(p), newDomains(p), newAliases(p), newTestEvents(p), newDeadLetters(p), newEventSources(p), newCredentials(p), newExport(p), newImport(p)} {
		for _, sub := range parent.Commands() {
			parent.RemoveCommand(sub)
			sub.Use = parent.Name() + ":" + sub.Use
			for i, alias := range sub.Aliases {
				sub.Aliases[i] = parent.Name() + ":" + alias
			}
			sub.Hidden = true
			forms = append(forms, sub)
		}
	}
	return forms
}

func globalFlags(p *program, root *cobra.Command) {
	f := root.PersistentFlags()
	f.SortFlags = false
	f.StringVarP(&p.flags.dir, "directory", "C", ".", "directory of the app's source")
	f.StringVar(&p.flags.app, "app", "", "app (default: the name in aloft.yml, else of the directory)")
	f.StringVar(&p.flags.stage, "stage", aloft.DefaultStage, "stage")
	f.StringVar(&p.flags.platform, "platform", "", "where the stage is, local or aws (default: platform in aloft.yml)")
	f.StringVar(&p.flags.profile, "profile", "", "profile of your AWS configuration (default: aws.profile in aloft.yml)")
	f.StringVar(&p.flags.region, "region", "", "home region on AWS (default: the first of aws.regions in aloft.yml)")
	f.BoolVarP(&p.flags.yes, "yes", "y", false, "answer every question with yes")
	f.BoolVarP(&p.flags.quiet, "quiet", "q", false, "print the result only")
	f.BoolVarP(&p.flags.verbose, "verbose", "v", false, "print all output of builds, and more details")
	f.BoolVar(&p.flags.json, "json", false, "print the result as JSON")
	f.BoolVar(&p.flags.noColor, "no-color", false, "no colours")
	f.StringVar(&p.flags.home, "home", "", "directory of all state (default: ALOFT_HOME, else ~/.aloft)")
	f.BoolP("help", "h", false, "help")
}

// readGlobals notes which flags were given.
func (p *program) readGlobals(c *cobra.Command) error {
	p.flags.appSet = c.Flags().Changed("app")
	p.flags.stageSet = c.Flags().Changed("stage")
	p.flags.homeSet = c.Flags().Changed("home")
	if c.Flags().Changed("directory") && p.flags.dir == "" {
		return aloft.Errorf(aloft.Invalid, "-C is empty").WithHint("-C names the directory of the app")
	}
	if err := p.checkPlatform(c.Flags().Changed); err != nil {
		return err
	}
	if p.flags.homeSet {
		_, err := p.home() // before any question is asked
		return err
	}
	return nil
}

// rootArgs refuses unknown commands; a stage alone is no command.
func rootArgs(c *cobra.Command, args []string) error {
	err := subcommandOnly(c, args)
	if e, ok := errors.AsType[*aloft.Error](err); ok && (args[0] == aloft.Production || args[0] == aloft.DefaultStage) {
		return e.WithHint("to deploy that stage: aloft up %s", args[0])
	}
	return err
}

func newHelp(root *cobra.Command) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "help [command]",
		Short: "Explain a command",
		Long:  "Explains a command, as COMMAND --help does.\n\nExit status: 2 if there is no such command.",
		Example: `  aloft help up
  aloft help config set`,
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return subcommandOnly(root, args)
			}
			return c.Help()
		},
	})
}
