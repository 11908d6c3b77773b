package s3_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/s3"
)

// blob is n random bytes and their digest.
func blob(n int) (data []byte, digest string) {
	data = make([]byte, n)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:])
}

func section(data []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
}

// requests counts what a client asks, by method and the end of the path.
type requests struct {
	mu   sync.Mutex
	seen map[string]int
	fail string // a method that fails
}

func (r *requests) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.seen[request.Method]++
	broken := r.fail == request.Method && request.URL.Query().Get("partNumber") != "1"
	r.mu.Unlock()
	if broken {
		return nil, errFault
	}
	return http.DefaultTransport.RoundTrip(request)
}

func (r *requests) count(method string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[method]
}

func watched(config aws.Config, bucket string) (*s3.Bucket, *requests) {
	r := &requests{seen: map[string]int{}}
	config.HTTPClient = &http.Client{Transport: r}
	return s3.Open(config, bucket, "123456789012"), r
}

func TestObjects(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]func(*testing.T) aws.Config{"fake": fake, "emulator": func(t *testing.T) aws.Config {
		t.Helper()
		return awstest.Emulator(t).Config
	}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := config(t)
			bucket, seen := watched(config, makeBucket(t, config).Name())
			testObjects(t, bucket, seen)
		})
	}
}

func testObjects(t *testing.T, bucket *s3.Bucket, seen *requests) {
	t.Helper()
	ctx := t.Context()
	shims := bucket.Objects("shims/")
	shims.SetParts(8<<20, 5<<20) // 5 MiB is the least for S3
	for _, size := range []int{0, 1, 100_000, 12 << 20} {
		data, digest := blob(size)
		if has, err := shims.Has(ctx, digest); err != nil || has {
			t.Errorf("Has before Put: %v, %v", has, err)
		}
		check(t, "Put", shims.Put(ctx, digest, section(data), aloft.Discard{}))
		if has, err := shims.Has(ctx, digest); err != nil || !has {
			t.Errorf("Has after Put: %v, %v", has, err)
		}
		puts := seen.count(http.MethodPut)
		check(t, "second Put", shims.Put(ctx, digest, section(data), aloft.Discard{}))
		if seen.count(http.MethodPut) != puts {
			t.Errorf("%d bytes were uploaded twice", size)
		}
		body, err := shims.Get(ctx, digest)
		check(t, "Get", err)
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %d bytes of %d, %v", len(got), size, err)
		}
		check(t, "Close", body.Close())
		if want := "shims/" + digest + ".zip"; shims.Key(digest) != want {
			t.Errorf("key %q, want %q", shims.Key(digest), want)
		}
	}
	_, digest := blob(1)
	if _, err := shims.Get(ctx, digest); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("Get of nothing: %v", err)
	}
}

// TestWrongBytes: nothing lies under a digest that it does not have.
func TestWrongBytes(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t) // moto checks no SHA-256
	objects := makeBucket(t, cloud.Config).Objects("artifacts/")
	objects.SetParts(8<<20, 5<<20)
	for _, size := range []int{1000, 12 << 20} {
		data, digest := blob(size)
		data[size/2]++
		err := objects.Put(t.Context(), digest, section(data), aloft.Discard{})
		if aloft.ErrorCode(err) != aloft.Internal || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("Put of %d wrong bytes: %v", size, err)
		}
		if has, err := objects.Has(t.Context(), digest); err != nil || has {
			t.Errorf("%d wrong bytes are there: %v", size, err)
		}
	}
}

// TestPartsAborted: an upload that fails leaves no parts, and the next one succeeds.
func TestPartsAborted(t *testing.T) {
	t.Parallel()
	config := awstest.Emulator(t).Config
	name := makeBucket(t, config).Name()
	bucket, seen := watched(config, name)
	objects := bucket.Objects("artifacts/")
	objects.SetParts(8<<20, 5<<20)
	data, digest := blob(12 << 20)
	seen.fail = http.MethodPut
	if err := objects.Put(t.Context(), digest, section(data), aloft.Discard{}); aloft.ErrorCode(err) != aloft.Unavailable {
		t.Errorf("Put without network: %v", err)
	}
	client := awss3.NewFromConfig(config, func(o *awss3.Options) { o.UsePathStyle = true })
	if left, err := client.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &name}); err != nil || len(left.Uploads) != 0 {
		t.Errorf("%d uploads are left, %v", len(left.Uploads), err)
	}
	seen.fail = ""
	check(t, "Put", objects.Put(t.Context(), digest, section(data), aloft.Discard{}))
}

// TestCollect: what nobody names goes after a week.
func TestCollect(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		days    int
		renewed bool // by a deploy, after the list was made
		removed int
		bytes   int64
	}{{6, false, 0, 0}, {8, true, 0, 0}, {8, false, 1, 20}} {
		bucket := makeBucket(t, fakeAged(t, time.Duration(test.days)*24*time.Hour, test.renewed))
		objects := bucket.Objects("artifacts/")
		kept, keptDigest := blob(10)
		old, oldDigest := blob(20)
		_, shim := blob(1)
		check(t, "Put", objects.Put(t.Context(), keptDigest, section(kept), aloft.Discard{}))
		check(t, "Put", objects.Put(t.Context(), oldDigest, section(old), aloft.Discard{}))
		keep := map[string]bool{keptDigest: true, shim: true}
		if removed, bytes, err := objects.Collect(t.Context(), keep); err != nil || removed != test.removed || bytes != test.bytes {
			t.Errorf("after %d days: removed %d, %d bytes, %v", test.days, removed, bytes, err)
		}
		if has, err := objects.Has(t.Context(), keptDigest); err != nil || !has {
			t.Errorf("a named object is gone: %v", err)
		}
		if has, err := objects.Has(t.Context(), oldDigest); err != nil || has != (test.removed == 0) {
			t.Errorf("after %d days the other is there: %v, %v", test.days, has, err)
		}
	}
}

// TestPutRenews: an object that a deploy finds is not about to be collected.
func TestPutRenews(t *testing.T) {
	t.Parallel()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t) // moto keeps no SHA-256
	config := cloud.Config
	name := makeBucket(t, config).Name()
	clock := &line{}
	config.HTTPClient = &http.Client{Transport: clock}
	objects := s3.Open(config, name, "123456789012").Objects("artifacts/")
	data, digest := blob(10)
	check(t, "Put", objects.Put(t.Context(), digest, section(data), aloft.Discard{}))
	client := awss3.NewFromConfig(config, func(o *awss3.Options) { o.UsePathStyle = true })
	key := objects.Key(digest)
	checksum := func() string {
		out, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: &name, Key: &key, ChecksumMode: "ENABLED"})
		check(t, "HeadObject", err)
		return aws.ToString(out.ChecksumSHA256)
	}
	before := checksum()
	clock.ahead.Store(5 * 24 * 60 * 60)
	check(t, "Put", objects.Put(t.Context(), digest, section(data), aloft.Discard{}))
	if after := checksum(); before == "" || after != before || clock.writes.Load() != 2 {
		t.Errorf("%d writes, checksum %q, then %q", clock.writes.Load(), before, after)
	}
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	bucket, ctx := makeBucket(t, fake(t)), t.Context()
	ada, bob := localStore(t), localStore(t)
	data, digest := blob(1000)
	check(t, "Import", ada.Import(ctx, digest, bytes.NewReader(data)))
	check(t, "Upload", bucket.Artifacts(ada).Upload(ctx, digest, aloft.Discard{}))
	check(t, "Upload of what only the bucket has", bucket.Artifacts(bob).Upload(ctx, digest, aloft.Discard{}))
	check(t, "Download", bucket.Artifacts(bob).Download(ctx, digest))
	if !bob.Has(digest) {
		t.Error("it is not in the store")
	}
	check(t, "second Download", bucket.Artifacts(bob).Download(ctx, digest))
	_, other := blob(1)
	if err := bucket.Artifacts(bob).Upload(ctx, other, aloft.Discard{}); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("Upload of nothing: %v", err)
	}
	if err := bucket.Artifacts(bob).Download(ctx, other); aloft.ErrorCode(err) != aloft.NotFound {
		t.Errorf("Download of nothing: %v", err)
	}
}

func localStore(t *testing.T) *artifact.Store {
	t.Helper()
	store, err := artifact.Open(filepath.Join(t.TempDir(), "artifacts"))
	check(t, "Open", err)
	return store
}

// TestBrokenDownload: a download that ends early leaves nothing.
func TestBrokenDownload(t *testing.T) {
	t.Parallel()
	local := localStore(t)
	data, digest := blob(1000)
	for _, from := range []io.Reader{
		bytes.NewReader(data[:500]),
		io.MultiReader(bytes.NewReader(data[:500]), failing{}),
	} {
		if err := local.Import(t.Context(), digest, from); aloft.ErrorCode(err) != aloft.Internal || local.Has(digest) {
			t.Errorf("Import of half: %v", err)
		}
	}
	check(t, "Import", local.Import(t.Context(), digest, bytes.NewReader(data)))
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the connection broke") }
