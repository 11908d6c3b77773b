package lambdaapi

import "context"

// heldURL is an URL and its function as they were when the documents were lent to another server.
type heldURL struct {
	target *target
	url    functionURL
}

// HoldURLs keeps in memory what function URLs lead to, for the time while documents cannot be read because another server has
// them, and so changes nothing. What cannot be read is left out.
func (a *API) HoldURLs(ctx context.Context) error {
	all, err := a.all(ctx)
	if err != nil {
		return err
	}
	held := map[string]heldURL{}
	for _, t := range all {
		if u, ok := t.declared(); ok {
			held[u.ID] = heldURL{t, u}
		}
		for qualifier := range t.record.URLs {
			at, err := a.find(ctx, t.name, qualifier)
			if err != nil {
				continue // its alias is gone: it answers nothing now, too
			}
			if u, ok := at.url(qualifier); ok {
				held[u.ID] = heldURL{at, u}
			}
		}
	}
	a.heldURLs.Store(&held)
	return nil
}

// DropURLs forgets what HoldURLs kept: the documents can be read again.
func (a *API) DropURLs() { a.heldURLs.Store(nil) }

// held returns what an URL led to when documents were lent.
func (a *API) held(id string) (*target, functionURL, bool) {
	if held := a.heldURLs.Load(); held != nil {
		h, ok := (*held)[id]
		return h.target, h.url, ok
	}
	return nil, functionURL{}, false
}
