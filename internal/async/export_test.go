package async

// KeepDead sets how many bytes of dead letters are kept per stage, before Begin.
func (q *Queue) KeepDead(bytes int64) { q.deadBytes = bytes }
