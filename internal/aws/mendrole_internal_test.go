package aws

import (
	"encoding/json"
	"testing"
)

const (
	reads  = `{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem"],"Resource":["arn:aws:dynamodb:eu-west-1:1:table/orders"]}`
	sends  = `{"Effect":"Allow","Action":["sqs:SendMessage"],"Resource":"arn:aws:sqs:eu-west-1:1:jobs"}`
	writes = `{"Effect":"Allow","Action":["s3:PutObject"],"Resource":"arn:aws:s3:::files/*"}`
)

// TestRestored: what somebody took away is put back, and what somebody restricted is not.
func TestRestored(t *testing.T) {
	t.Parallel()
	read := func(statements string) (p rolePolicy) {
		if err := json.Unmarshal([]byte(`{"PolicyName":"aloft","PolicyDocument":{"Version":"2012-10-17","Statement":`+statements+`}}`), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := read("[" + reads + "," + sends + "," + writes + "]")
	if lost, changed, whole := restored(want, []rolePolicy{{PolicyName: "other"}}); len(lost) != 3 || len(changed) != 0 || len(whole.PolicyDocument.Statement) != 3 {
		t.Errorf("without the policy: %v, %v", lost, changed)
	}
	for has, counts := range map[string][3]int{
		"[" + reads + "," + sends + "," + writes + "]": {0, 0, 3},
		`[` + reads + `,{"Effect":"Allow","Action":"sqs:SendMessage","Resource":["arn:aws:sqs:eu-west-1:1:jobs"]},` + writes + `]`: {0, 0, 3},
		sends: {2, 0, 3}, // one that is no list
		`[{"Effect":"Deny","Action":"dynamodb:*","Resource":"*"}]`:                                                   {3, 0, 4},
		`[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"arn:aws:dynamodb:eu-west-1:1:table/orders"}]`:    {2, 1, 3},
		`[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::files/public/*"}]`:                      {2, 1, 3},
		`[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::others/*"}]`:                            {3, 0, 4},
		`[{"Effect":"Allow","Action":["sqs:SendMessage"],"Resource":"arn:aws:sqs:eu-west-1:1:jobs","Condition":{}}]`: {2, 1, 3},
	} {
		lost, changed, whole := restored(want, []rolePolicy{read(has)})
		if got := [3]int{len(lost), len(changed), len(whole.PolicyDocument.Statement)}; got != counts {
			t.Errorf("with %s %v are lost, changed and in all, want %v", has, got, counts)
		}
	}
}
