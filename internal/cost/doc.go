// Package cost computes what an app costs on AWS Lambda, and from which load on a machine of one's own is cheaper. It holds a
// dated table of prices with the source of each (prices.go) and computes exactly, in fractions: what is printed is rounded
// once, at the end. It reads nothing and asks nobody; what an app uses comes from package meter, or from flags.
//
// A month has 30 days here, so a month's figure is always 30 times the day's. AWS bills by the calendar month.
package cost
