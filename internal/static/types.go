package static

import (
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
)

// contentType goes by the extension, then by the first bytes. The usual types are ours, since the tables of machines differ.
func contentType(name string, file io.ReadSeeker) string {
	extension := strings.ToLower(path.Ext(name))
	if known := webType(extension); known != "" {
		return known
	}
	if known := mime.TypeByExtension(extension); known != "" {
		return known
	}
	head := make([]byte, 512)
	n, _ := io.ReadFull(file, head) // a short file is enough; what cannot be read fails when it is sent
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "application/octet-stream"
	}
	return http.DetectContentType(head[:n])
}

func webType(extension string) string {
	switch extension {
	case ".html", ".htm":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js", ".mjs", ".cjs":
		return "text/javascript; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt", ".text", ".log":
		return "text/plain; charset=utf-8"
	case ".md":
		return "text/markdown; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".xml":
		return "application/xml"
	case ".rss":
		return "application/rss+xml"
	case ".atom":
		return "application/atom+xml"
	case ".pdf":
		return "application/pdf"
	case ".wasm":
		return "application/wasm"
	}
	return mediaType(extension)
}

func mediaType(extension string) string {
	switch extension {
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".avif":
		return "image/avif"
	case ".ico":
		return "image/x-icon"
	case ".woff", ".woff2", ".ttf", ".otf":
		return "font/" + extension[1:]
	case ".mp4", ".webm":
		return "video/" + extension[1:]
	case ".mp3":
		return "audio/mpeg"
	case ".ogg", ".wav", ".flac":
		return "audio/" + extension[1:]
	}
	return ""
}

// compressible reports whether files of a type are not compressed already.
func compressible(contentType string) bool {
	name, _, _ := strings.Cut(contentType, ";")
	switch name {
	case "application/json", "application/xml", "application/javascript", "application/wasm", "image/x-icon", "image/bmp", "font/ttf", "font/otf":
		return true
	}
	return strings.HasPrefix(name, "text/") || strings.HasSuffix(name, "+xml") || strings.HasSuffix(name, "+json")
}

// fingerprint finds what bundlers put into names: index-B7aQx2Zk.js, main.3f2a9c81.css; "" if there is no such thing.
func fingerprint(base string) string {
	for _, name := range []string{strings.TrimSuffix(base, ".map"), base} {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 || name[dot+1:] == "" || !consists(name[dot+1:], "abcdefghijklmnopqrstuvwxyz"+digits) {
			continue
		}
		stem := name[:dot]
		for _, part := range []string{stem, strings.TrimSuffix(stem, ".chunk"), strings.TrimSuffix(stem, ".min"), strings.TrimSuffix(stem, ".bundle")} {
			at := strings.LastIndexAny(part, ".-")
			mark := part[at+1:]
			short := len(mark) <= 20 && consists(mark, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"+digits)
			if at >= 0 && len(mark) >= 8 && (short || len(mark) <= 64 && consists(mark, hexadecimal)) {
				return mark
			}
		}
	}
	return ""
}

const (
	digits      = "0123456789"
	hexadecimal = digits + "abcdef"
)

// consists reports whether a text has no other bytes than those.
func consists(text, of string) bool { return strings.Trim(text, of) == "" }

// cacheControl lets a name that changes with its content be kept for good; everything else is asked for again, which an
// ETag makes cheap.
func cacheControl(name string) string {
	base := path.Base(name)
	mark := fingerprint(base)
	if mark == "" || strings.HasSuffix(base, ".html") || !mixed(mark) {
		return "public, max-age=0, must-revalidate"
	}
	return "public, max-age=31536000, immutable"
}

// mixed tells a fingerprint from a word or a date: it has digits, and either letters that are hexadecimal digits only, or
// letters of both cases.
func mixed(text string) bool {
	lower := strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' })
	upper := strings.ContainsFunc(text, func(r rune) bool { return r >= 'A' && r <= 'Z' })
	return strings.ContainsAny(text, digits) && (consists(text, hexadecimal) && lower || lower && upper)
}
