package cli

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/deploy"
	"github.com/aloft-run/aloft/internal/mem"
	"github.com/aloft-run/aloft/internal/s3"
)

// awsBackend has the stages of an account of AWS. It works with the user's own credentials, in this process: what others need to
// know of a stage lies in the account. On this machine there are caches only, which parallel commands share.
type awsBackend struct {
	*deploy.Deployer

	program  *program
	session  *aws.Session
	region   string // home: it has the records
	dir      string // caches, below the home directory
	use      *shared
	bucket   *s3.Bucket
	apps     *accountApps
	store    *artifact.Store
	platform *aws.Platform
	engine   *lazyEngine
	logger   *slog.Logger

	deleteData bool // Destroy takes stores too
}

var _ backend = (*awsBackend)(nil)

// openAWS returns what has the stages of an account. It must be closed.
func (p *program) openAWS(ctx context.Context, at site) (*awsBackend, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	session, err := aws.Open(ctx, aws.Want{Profile: at.profile, Account: at.account, Region: at.region, Patience: p.patience})
	if err != nil {
		return nil, err
	}
	b := &awsBackend{program: p, session: session, region: cmp.Or(at.region, session.Region), dir: filepath.Join(home, "aws")}
	b.logger = slog.New(slog.DiscardHandler)
	if p.flags.verbose {
		b.logger = slog.New(slog.NewTextHandler(p.err, nil))
	}
	if err := b.open(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// open opens the caches and the records, and wires all parts.
func (b *awsBackend) open(ctx context.Context) (err error) {
	if err := makeHome(b.dir); err != nil {
		return err
	}
	if b.use, err = share(b.dir); err != nil {
		return err
	}
	if b.store, err = artifact.Open(filepath.Join(b.dir, "artifacts")); err != nil {
		return err
	}
	b.bucket = s3.Open(b.session.In(b.region), b.session.Bucket(b.region), b.session.Account)
	ready, err := b.bucket.Exists(ctx)
	if err != nil {
		return err
	}
	b.apps = &accountApps{AppService: &mem.Store{}}
	if ready {
		b.enter()
	}
	b.engine = &lazyEngine{program: b.program, dir: b.use.own, logger: b.logger}
	b.platform = aws.New(b.platformOptions())
	b.Deployer = deploy.New(b.deployOptions())
	return nil
}

// enter makes the records of the account those that are worked with.
func (b *awsBackend) enter() {
	host, _ := os.Hostname()
	b.apps.AppService = s3.NewStore(b.bucket, fmt.Sprintf("%s@%s", cmp.Or(b.program.author(), "somebody"), host))
	b.apps.ready = true
}

// Close gives up what it holds, and frees what nobody needs if nobody else works here.
func (b *awsBackend) Close() {
	if b.engine != nil {
		b.engine.close()
	}
	if b.use != nil {
		b.use.close(b.tidy)
	}
}

// tidy frees what this machine does not need. If it failed to open there is nothing to do it with.
func (b *awsBackend) tidy() error {
	if b.Deployer == nil {
		return aloft.Errorf(aloft.Unavailable, "it was not opened")
	}
	return b.Tidy(context.Background(), keptFor)
}

// keptFor is how long artifacts are kept on this machine after they were made; the account has them as long as releases need them.
const keptFor = 14 * 24 * time.Hour

// prepare makes the account ready for its first release, and looks whether it still is.
func (b *awsBackend) prepare(ctx context.Context, report aloft.Reporter) error {
	if err := b.platform.EnsureAccount(ctx, b.region, report); err != nil {
		return err
	}
	if !b.apps.ready {
		b.enter()
	}
	return nil
}

// Deploy implements aloft.Deployer.
func (b *awsBackend) Deploy(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Deployment, error) {
	report.Report(aloft.Notice{Text: "to the AWS account " + b.session.Account + ", home " + b.region})
	if err := b.checkHome(ctx, input.Stage, report); err != nil {
		return aloft.Deployment{}, err
	}
	if !b.apps.ready { // what is no app makes nothing in the account
		if err := b.Detect(ctx, input); err != nil {
			return aloft.Deployment{}, err
		}
	}
	if err := b.prepare(ctx, report); err != nil {
		return aloft.Deployment{}, err
	}
	made, err := b.Deployer.Deploy(ctx, input, report)
	if err == nil {
		b.rememberHome(input.Stage)
	}
	return made, err
}

// Plan implements aloft.Deployer.
func (b *awsBackend) Plan(ctx context.Context, input aloft.DeployInput, report aloft.Reporter) (aloft.Plan, error) {
	if err := b.checkHome(ctx, input.Stage, report); err != nil {
		return aloft.Plan{}, err
	}
	return b.Deployer.Plan(ctx, input, report)
}

// Promote implements aloft.Promoter.
func (b *awsBackend) Promote(ctx context.Context, input aloft.PromoteInput, report aloft.Reporter) (aloft.Deployment, error) {
	if err := b.checkHome(ctx, input.To, report); err != nil {
		return aloft.Deployment{}, err
	}
	if err := b.prepare(ctx, report); err != nil {
		return aloft.Deployment{}, err
	}
	return b.Deployer.Promote(ctx, input, report)
}

// Configure implements aloft.Deployer.
func (b *awsBackend) Configure(ctx context.Context, input aloft.ConfigInput, report aloft.Reporter) (aloft.Deployment, error) {
	if len(input.Set) > 0 {
		if err := b.checkHome(ctx, input.Stage, report); err != nil {
			return aloft.Deployment{}, err
		}
		if err := b.prepare(ctx, report); err != nil {
			return aloft.Deployment{}, err
		}
	}
	return b.Deployer.Configure(ctx, input, report)
}

// SetDomains implements aloft.Operator. It shows the progress of the release that it makes.
func (b *awsBackend) SetDomains(ctx context.Context, ref aloft.StageRef, domains []string) (stage aloft.Stage, err error) {
	err = b.program.work(ctx, func(report aloft.Reporter) error {
		stage, err = b.ChangeDomains(ctx, ref, domains, report)
		return err
	})
	return stage, err
}

// Stop implements aloft.Operator. It shows its progress.
func (b *awsBackend) Stop(ctx context.Context, ref aloft.StageRef) error {
	return b.program.work(ctx, func(report aloft.Reporter) error {
		b.Report = report
		return b.Deployer.Stop(ctx, ref)
	})
}

// Destroy implements aloft.Operator. It shows its progress.
func (b *awsBackend) Destroy(ctx context.Context, ref aloft.StageRef) error {
	return b.program.work(ctx, func(report aloft.Reporter) error {
		b.Report = report
		b.Dismantle = func(ctx context.Context, ref aloft.StageRef) error {
			_, err := b.platform.Destroy(ctx, ref, b.deleteData, report)
			return err
		}
		if err := b.Deployer.Destroy(ctx, ref); err != nil {
			return err
		}
		b.forgetHome(ref)
		return b.collect(ctx)
	})
}

// collect deletes the artifacts in the home region that no release of its records names any more, nor any stack there: stages whose
// home is another region have code here too, and what is collected of their older releases comes back from their home when they return
// to them. While a stack is at work nothing is collected; the next destroy does.
func (b *awsBackend) collect(ctx context.Context) error {
	keep, err := b.apps.Digests(ctx)
	if err != nil {
		return err
	}
	used, err := b.platform.InUse(ctx, b.region)
	if aloft.ErrorCode(err) == aloft.Conflict {
		return nil
	}
	if err != nil {
		return err
	}
	maps.Copy(keep, used)
	_, _, err = b.bucket.Artifacts(b.store).Collect(ctx, keep)
	return err
}

// Releases implements records.
func (b *awsBackend) Releases(ctx context.Context, ref aloft.StageRef, limit int) ([]aloft.Release, error) {
	return b.apps.Releases(ctx, ref, limit)
}

// Release implements records.
func (b *awsBackend) Release(ctx context.Context, ref aloft.StageRef, version int) (aloft.Release, error) {
	return b.apps.Release(ctx, ref, version)
}

// Pending implements records. AWS does not say how many events wait for a function.
func (*awsBackend) Pending(context.Context, aloft.StageRef) (map[string]int, error) {
	return map[string]int{}, nil
}

// TestEvents implements savedEvents. None are saved for stages on AWS.
func (*awsBackend) TestEvents(context.Context, aloft.StageRef) ([]aloft.TestEvent, error) {
	return nil, nil
}

// Invoke implements aloft.Invoker.
func (b *awsBackend) Invoke(ctx context.Context, input aloft.InvokeInput) (aloft.Invoked, error) {
	return b.platform.Invoke(ctx, input)
}

// Logs implements aloft.LogService.
func (b *awsBackend) Logs(ctx context.Context, query aloft.LogQuery) iter.Seq2[aloft.LogLine, error] {
	return b.platform.Logs(ctx, query)
}

// EventSources implements records.
func (b *awsBackend) EventSources(ctx context.Context, ref aloft.StageRef) ([]aloft.EventSource, error) {
	return b.platform.EventSources(ctx, ref)
}

// Resources implements aloft.ResourceLister.
func (b *awsBackend) Resources(ctx context.Context, ref aloft.StageRef) ([]aloft.ResourceStatus, error) {
	return b.platform.Resources(ctx, ref)
}

// url is where a stage answers, "" if that is not known.
func (b *awsBackend) url(ref aloft.StageRef) string {
	ctx, cancel := context.WithTimeout(context.Background(), urlPatience)
	defer cancel()
	url, err := b.platform.URL(ctx, ref)
	if err != nil {
		b.logger.Warn("look for the URL", "stage", ref.String(), "error", err)
	}
	return url
}

// functionURLs are the addresses of functions of their own, none if they cannot be looked up.
func (b *awsBackend) functionURLs(ctx context.Context, release aloft.Release) map[string]string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), urlPatience)
	defer cancel()
	urls, err := b.platform.FunctionURLs(ctx, release)
	if err != nil {
		b.logger.Warn("look for function URLs", "stage", release.StageRef.String(), "error", err)
	}
	return urls
}

// urlPatience bounds the wait for an address after the work is done.
const urlPatience = 20 * time.Second
