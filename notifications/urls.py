from django.urls import path

from .views import EnvoiHtml, Envois, Reexpedier, UnEnvoi

urlpatterns = [
    path("envois/", Envois.as_view(), name="envois"),
    path("envois/<int:pk>/", UnEnvoi.as_view(), name="envoi"),
    path("envois/<int:pk>/html/", EnvoiHtml.as_view(), name="envoi_html"),
    path("envois/<int:pk>/reexpedier/", Reexpedier.as_view(), name="envoi_reexpedier"),
]
