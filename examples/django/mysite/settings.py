import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

# Set it for real with: aloft config set SECRET_KEY=…
SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-trying-things-out")
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = ["*"]  # the gateway decides which hosts reach the app

INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "clock",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
]

ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
    }
]

USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
