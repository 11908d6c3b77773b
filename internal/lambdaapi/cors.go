package lambdaapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// cors says which pages of other origins may read what a function URL answers.
type cors struct {
	AllowCredentials bool     `json:",omitempty"`
	AllowHeaders     []string `json:",omitempty"`
	AllowMethods     []string `json:",omitempty"`
	AllowOrigins     []string `json:",omitempty"`
	ExposeHeaders    []string `json:",omitempty"`
	MaxAge           int      `json:",omitempty"` // seconds
}

// preflight answers a browser that asks before it sends a request. It reports false for other requests.
func (c *cors) preflight(w http.ResponseWriter, r *http.Request) bool {
	method := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || method == "" || r.Header.Get("Origin") == "" {
		return false
	}
	h := w.Header()
	if allows(c.AllowMethods, method) {
		c.allow(h, r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
		if len(c.AllowHeaders) > 0 {
			h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowHeaders, ","))
		}
		if c.MaxAge > 0 {
			h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
		}
	}
	w.WriteHeader(http.StatusOK)
	return true
}

// allow says that a page of an origin may read the answer, if it may.
func (c *cors) allow(h http.Header, origin string) {
	h.Add("Vary", "Origin")
	if origin == "" || !allows(c.AllowOrigins, origin) {
		return
	}
	if c.AllowCredentials || !slices.Contains(c.AllowOrigins, "*") {
		h.Set("Access-Control-Allow-Origin", origin)
	} else {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if c.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
	}
}

// allows reports whether a list names a value: with all of it, a "*", or a "*" in its middle, as in https://*.example.com.
func allows(list []string, value string) bool {
	return slices.ContainsFunc(list, func(item string) bool {
		before, after, wild := strings.Cut(item, "*")
		if !wild {
			return strings.EqualFold(item, value)
		}
		return len(value) >= len(before)+len(after) && strings.HasPrefix(value, before) && strings.HasSuffix(value, after)
	})
}
