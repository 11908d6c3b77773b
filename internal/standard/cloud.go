package standard

import (
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/bucket"
	"github.com/aloft-run/aloft/internal/resource/cache"
	"github.com/aloft-run/aloft/internal/resource/mail"
	"github.com/aloft-run/aloft/internal/resource/postgres"
	"github.com/aloft-run/aloft/internal/resource/queue"
	"github.com/aloft-run/aloft/internal/resource/search"
	"github.com/aloft-run/aloft/internal/resource/secret"
	"github.com/aloft-run/aloft/internal/resource/stream"
	"github.com/aloft-run/aloft/internal/resource/table"
	"github.com/aloft-run/aloft/internal/resource/topic"
)

// CloudKinds are the kinds of resources that a stack on AWS can have.
func CloudKinds() []resource.Cloud {
	return []resource.Cloud{
		bucket.Cloud{},
		queue.Cloud{},
		topic.Cloud{},
		stream.Cloud{},
		table.Cloud{},
		postgres.Cloud{},
		cache.Cloud{},
		search.Cloud{},
		mail.Cloud{},
		secret.Cloud{},
	}
}
