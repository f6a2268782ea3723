from django.http import HttpResponse
from django.urls import path

urlpatterns = [
    path("dossiers/<int:numero>/", lambda r, numero: HttpResponse(""), name="dossier"),
    path("dossiers/<int:numero>/fiches/<int:fiche>/", lambda r, numero, fiche: HttpResponse(""), name="dossier_fiche"),
    path("taches/<int:numero>/", lambda r, numero: HttpResponse(""), name="tache"),
]
