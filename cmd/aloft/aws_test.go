package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// awsCommands are those of scripts about AWS's clients:
//
//	aws-env                     set the variables of AWS's clients to what aloft credentials aws prints
//	zip FILE NAME...            make a zip
//	sdk-stream FUNCTION EVENT   invoke by aws-sdk-go-v2 with a streamed answer; print each chunk, and how it ended
//	raw-stream FUNCTION EVENT N invoke N times by net/http; fail if an answer or a connection does not end as it should
func awsCommands() map[string]command {
	return map[string]command{"aws-env": awsEnv, "zip": makeZip, "sdk-stream": sdkStream, "raw-stream": rawStream}
}

func awsEnv(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 0, "aws-env")
	ts.Check(ts.Exec("aloft", "credentials", "aws", "--format", "json"))
	var got struct {
		AccessKeyID, SecretAccessKey, Region string
		Endpoints                            map[string]string
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &got))
	for service, url := range got.Endpoints {
		ts.Setenv("AWS_ENDPOINT_URL_"+strings.ToUpper(service), url)
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": got.AccessKeyID, "AWS_SECRET_ACCESS_KEY": got.SecretAccessKey, "AWS_REGION": got.Region, "AWS_DEFAULT_REGION": got.Region,
		"AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": ts.MkAbs("no-config"), "AWS_SHARED_CREDENTIALS_FILE": ts.MkAbs("no-credentials"), "AWS_SESSION_TOKEN": "",
	} {
		ts.Setenv(name, value)
	}
}

func makeZip(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "zip FILE NAME...")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range args[1:] {
		w, err := z.Create(name)
		ts.Check(err)
		_, err = w.Write([]byte(ts.ReadFile(name)))
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

func sdkStream(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "sdk-stream FUNCTION EVENT")
	client := lambda.New(lambda.Options{
		Region: ts.Getenv("AWS_REGION"), BaseEndpoint: aws.String(ts.Getenv("AWS_ENDPOINT_URL_LAMBDA")),
		Credentials: credentials.NewStaticCredentialsProvider(ts.Getenv("AWS_ACCESS_KEY_ID"), ts.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	var lines string
	var err error
	for range 5 { // in some of a hundred runs this SDK closes its own connection, with a server of net/http alone too
		if lines, err = sdkAnswer(client, args[0], args[1]); err == nil || !strings.Contains(err.Error(), "use of closed network connection") {
			break
		}
	}
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), lines)
}

func sdkAnswer(client *lambda.Client, function, event string) (lines string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := client.InvokeWithResponseStream(ctx, &lambda.InvokeWithResponseStreamInput{FunctionName: &function, Payload: []byte(event)})
	if err != nil {
		return "", err
	}
	stream := out.GetStream()
	defer func() { _ = stream.Close() }()
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			lines += fmt.Sprintf("chunk %s\n", e.Value.Payload)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			lines += fmt.Sprintf("complete %q\n", aws.ToString(e.Value.ErrorCode))
		}
	}
	return lines, stream.Err()
}
