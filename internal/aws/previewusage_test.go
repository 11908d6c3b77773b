package aws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// A plan's million of requests takes as long as CloudWatch says that they took, and says so.
func TestCostByUsage(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	next := w.release("two")
	assumed := w.preview(next).Cost
	if text := strings.Join(assumed.Assumed, "\n"); !strings.Contains(text, "requests of 100ms") {
		t.Errorf("without a request: %s", text)
	}
	datum := func(name string, sum float64) types.MetricDatum {
		return types.MetricDatum{
			MetricName: &name, Timestamp: new(time.Now().Add(-time.Hour)),
			StatisticValues: &types.StatisticSet{SampleCount: new(1000.0), Sum: &sum, Minimum: new(1.0), Maximum: new(2000.0)},
			Dimensions:      []types.Dimension{{Name: new("FunctionName"), Value: new("hello-web")}},
		}
	}
	_, err := cloudwatch.NewFromConfig(w.in(home)).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace: new("AWS/Lambda"), MetricData: []types.MetricDatum{datum("Invocations", 1000), datum("Duration", 2e6)},
	})
	w.must(err)
	measured := w.preview(next).Cost
	if text := strings.Join(measured.Assumed, "\n"); !strings.Contains(text, "in the last 7 days, by CloudWatch: web ") || strings.Contains(text, "100ms") {
		t.Errorf("measured: %s", text)
	}
	was, _ := assumed.Million.After.Float64()
	if is, _ := measured.Million.After.Float64(); is < 5*was {
		t.Errorf("a million requests cost %v, %v when they take 2s", was, is)
	}
}
