package aloft

import (
	"context"
	"encoding/json"
)

// Previewer is a Platform that can say what Apply would do.
type Previewer interface {
	// Preview says what it takes to make a release serve. It leaves nothing behind.
	Preview(ctx context.Context, input PreviewInput) (Preview, error)
}

// PreviewInput is what a Preview is of.
type PreviewInput struct {
	Current Release // what serves; the zero Release before the first
	Next    Release
	Config  Config // of Next, in clear; placeholders for what is not made up yet
	Deep    bool   // also ask AWS, and say permissions and costs: State, Outcome and Losses are the same without
}

// Preview is what a platform would do beyond what the releases say.
type Preview struct {
	Regions []RegionPreview    `json:"regions"`
	IAM     []PermissionChange `json:"iam"` // of all regions, each once
	Cost    *CostChange        `json:"cost,omitempty"`

	State   string `json:"-"` // a digest of what the platform has of the stage
	Outcome string `json:"-"` // a digest of what it would have
}

// RegionPreview is what is done in one region.
type RegionPreview struct {
	Region    string           `json:"region"`
	Stack     string           `json:"stack"`
	Status    string           `json:"status,omitempty"`  // of the stack; "" if there is none
	Account   bool             `json:"account,omitempty"` // the account's bucket and key are made first
	Adopts    bool             `json:"adopts,omitempty"`  // the stack is none of aloft's yet
	CodeOnly  bool             `json:"codeOnly"`          // the stack is not changed: code by Lambda's API
	ChangeSet bool             `json:"changeSet"`         // CloudFormation was asked; else it is by the templates alone
	Resources []ResourceChange `json:"resources"`
	Notes     []string         `json:"notes,omitempty"` // for people
}

// Replacement says whether a changed resource is replaced by a new one.
type Replacement string

// The replacements; "" is none.
const (
	ReplaceAlways Replacement = "always"
	ReplaceMaybe  Replacement = "maybe" // it depends on what only AWS knows
)

// What stays of a resource that is deleted or replaced.
const (
	KeptWhole    = "whole"
	KeptSnapshot = "snapshot"
)

// ResourceChange is what happens to one resource of a stack.
type ResourceChange struct {
	Action     Action      `json:"action"`
	ID         string      `json:"id"` // logical
	Type       string      `json:"type"`
	Was        string      `json:"was,omitempty"`     // the type before, if that is another
	Name       string      `json:"name,omitempty"`    // physical, if the template says one
	Replace    Replacement `json:"replace,omitempty"` // of one that is modified
	Properties []string    `json:"properties,omitempty"`
	Causes     []string    `json:"causes,omitempty"`  // the properties for which it is replaced
	Kept       string      `json:"kept,omitempty"`    // what stays in the account, no longer managed: KeptWhole or KeptSnapshot
	Refused    bool        `json:"refused,omitempty"` // CloudFormation replaces nothing under the same name, and by another type nothing under the same logical id
	Part       bool        `json:"part,omitempty"`    // it holds nothing and goes along with others: a version, a permission
}

// PermissionChange is a statement that a role gets or loses.
type PermissionChange struct {
	Action    Action   `json:"action"` // Add or Remove
	Role      string   `json:"role"`   // logical id
	Function  string   `json:"function,omitempty"`
	Effect    string   `json:"effect"`
	Actions   []string `json:"actions"`
	Resources []string `json:"resources"`
	Why       string   `json:"why,omitempty"` // the edge that causes it, or did
	Regions   []string `json:"regions"`       // whose roles they are: a stage has one of each function in each region
}

// CostChange is what a change costs, in dollars before tax and without the free tier.
type CostChange struct {
	Date     string     `json:"date"` // of the prices
	Standing CostPair   `json:"standing"`
	Lines    []CostLine `json:"lines"`   // of Standing, those that differ
	Million  CostPair   `json:"million"` // of a million requests
	Assumed  []string   `json:"assumed"`
	Unpriced []string   `json:"unpriced,omitempty"` // resources that stand and have no price in the table
}

// CostPair is an amount before and after.
type CostPair struct {
	Before json.Number `json:"before"`
	After  json.Number `json:"after"`
}

// CostLine is one price of what stands, a month.
type CostLine struct {
	What string `json:"what"`
	CostPair
}
