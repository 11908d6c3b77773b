from django.http import JsonResponse
from django.shortcuts import render
from django.utils import timezone


def index(request):
    return render(request, "clock/index.html", {"now": timezone.now()})


def hello(request, name):
    return render(request, "clock/index.html", {"now": timezone.now(), "name": name})


def time(request):
    return JsonResponse({"time": timezone.now().isoformat()})
