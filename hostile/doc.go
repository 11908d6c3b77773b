// Package hostile holds the hostile cases of the product as tests: whole servers under load, killed, starved and fed
// with nonsense. Each harness has a control that must fail. The package has no code of its own.
package hostile
