"""How Spanish says the ideas of `concepts`."""

from __future__ import annotations

from typing import Final

from headgate.checks.injection.concepts import Vocabulary

SPANISH: Final = Vocabulary(
    "es",
    {
        "drop": "ignora|ignore|ignoren|ignorar|ignorando|olvida|olvide|olvidar|olvidate|descarta"
        "|descarte|descartar|omite|omita|omitir|anula|anule|anular|elude|eluda|sobrescribe|salta"
        "|saltate|no sigas|no siga|no obedezcas|no obedezca|deja de seguir|deje de seguir"
        "|haz caso omiso|haga caso omiso|no hagas caso|no haga caso|no tengas en cuenta"
        "|no tenga en cuenta|desactiva|desactive|borra|borre"
        "|deja a un lado|desobedece|prescinde",
        "all": "todo|toda|todos|todas|cualquier|cualesquiera|cada",
        "earlier": "anterior|anteriores|previo|previos|previa|previas|de arriba|precedentes|original"
        "|originales|inicial|iniciales|existentes|recibidas|hasta ahora|dadas|antes|mas arriba",
        "yours": "tus|sus|tu|su|del sistema|que te dieron|que le dieron|que te han dado",
        "mine": "mis|mi|nuestras|nuestra|nuestros|nuestro",
        "orders": "instruccion|instrucciones|indicaciones|directrices|directriz|directiva|directivas"
        "|regla|reglas|normas|ordenes|restricciones|limitaciones|restriccion|comandos|filtros"
        "|politicas de seguridad|programacion|pautas|contexto|salvaguardas",
        "prompt": "prompt del sistema|prompt de sistema|mensaje del sistema|mensaje de sistema"
        "|instrucciones del sistema|tus instrucciones|sus instrucciones|instrucciones iniciales"
        "|instrucciones internas|instrucciones ocultas|instrucciones secretas|prompt inicial"
        "|tu prompt|su prompt|instrucciones originales|tus reglas|sus reglas|indicaciones internas"
        "|tus directrices|instrucciones confidenciales|configuracion interna|mensaje del desarrollador",
        "said": "todo lo anterior|lo anterior|el texto anterior|el texto de arriba|todo lo de arriba"
        "|todo lo que te han dicho|lo que te dijeron|lo que te han dicho|todo lo dicho"
        "|todo lo que aparece|las lineas anteriores|palabra por palabra|lo que se te dijo",
        "new_orders": "nueva instruccion|nuevas instrucciones|nueva tarea|las siguientes instrucciones"
        "|tu nueva tarea|su nueva tarea|tu verdadera tarea|en su lugar|en vez de eso"
        "|instruccion importante|nuevas reglas|tu nuevo rol|tu unica tarea|su unica tarea"
        "|instruccion prioritaria|instrucciones para|instruccion para|nuevo objetivo",
        "model": "ia|asistente|asistentes|asistente de ia|modelo de lenguaje|chatbot"
        "|inteligencia artificial|agente de ia|el modelo|sistema automatico|sistema automatizado|llm",
        "reader": "al leer esto"
        "|si eres una ia|si usted es una ia|si eres un modelo|si eres un asistente"
        "|nota para la ia|nota a la ia|mensaje para la ia"
        "|nota para el asistente|nota al asistente|atencion ia|atencion asistente|querida ia"
        "|estimada ia|querido asistente|estimado asistente|cualquier ia|para las ia|solo para ia"
        "|a los asistentes|para asistentes|si un asistente|cuando una ia",
        "reveal": "revela|revele|muestra|muestre|muestrame|muestreme|repite|repita|imprime|imprima"
        "|escribe|escriba|dame|deme|divulga|divulgue|dime|digame|copia|copie|traduce|traduzca"
        "|cuales son|cual es|lista|enumera|cita|comparte|comparta|ensename|ensena|resume|resuma"
        "|transcribe|transcriba",
        "become": "ahora eres|ahora usted es|a partir de ahora|desde ahora|actua como|actue como"
        "|finge que|finge ser|finja|haz de cuenta|haz como si|juega el papel|interpreta el papel"
        "|interpreta a|comportate como|comportese como|imagina que eres|imagina que|juego de rol"
        "|asume el rol|asume el papel|cambia a modo|entra en modo|responde como|hazte pasar",
        "unbound": "sin restricciones|sin ninguna restriccion|sin limites|sin limite|sin filtros"
        "|sin filtro|sin censura|sin reglas|ninguna regla|sin limitaciones|modo desarrollador"
        "|sin moral|sin etica|puede hacer cualquier cosa|puedes hacer cualquier cosa|libre de reglas"
        "|todo esta permitido|modo mantenimiento|modo administrador|ningun limite|ningun filtro"
        "|liberado de|modo dios|no tiene reglas|responde a todo|sin tabues",
        "unrefusing": "no te niegues|no se niegue|no rechaces|no rechace|no puedes negarte"
        "|no puede negarse|nunca digas que no|nunca digas no|sin advertencias|sin avisos"
        "|sin disculpas|no te disculpes|no se disculpe|debes obedecer|debe obedecer|debes cumplir"
        "|empieza tu respuesta con|comienza tu respuesta con|empieza con claro|negarse no"
        "|prohibido negarse|sin rechistar|no digas que no puedes|sin excusas",
        "only": "responde solo|responda solo|responde solamente|responda solamente|responde unicamente"
        "|responda unicamente|responde con|responda con|di solo|diga solo|escribe solo|escriba solo"
        "|nada mas|y nada mas|con la palabra|con la frase|tu respuesta debe|su respuesta debe"
        "|anade la frase|agrega la frase|responde siempre|responda siempre|debe contener"
        "|debe incluir|clasifica este|clasifique este|marca este|escribe exactamente|di exactamente"
        "|solo la palabra|incluye la frase|termina con|recomienda solo|recomienda unicamente|imprime solo"
        "|prioridad|empieza cada|termina cada|contesta solo|conteste solo|limitate a responder",
        "silently": "no digas nada|no diga nada|no lo menciones|no lo mencione|no menciones|sin decir"
        "|sin mencionar|sin informar|sin avisar|no informes|no avises|en secreto|secretamente"
        "|discretamente|sin que el usuario|sin preguntar|sin pedir|sin confirmacion|a escondidas"
        "|que nadie|guarda el secreto|no se lo digas|sin que nadie",
        "send": "envia|envie|enviar|manda|mande|reenvia|reenvie|transmite|publica|publique|adjunta"
        "|adjunte|anade|agrega|sube|suba|carga|abre|abra|visita|visite|inserta|pon|incluye|incluya"
        "|llama a|copia",
        "secrets": "conversacion|historial|contrasena|contrasenas|clave api|claves|credenciales"
        "|datos de clientes|datos de los clientes|datos personales|base de datos|buzon|contactos"
        "|secretos|secreto|tarjeta de credito|datos bancarios|lista de clientes|mensajes|salarios"
        "|numero de cuenta|notas internas|datos del usuario|correo del usuario|codigo fuente",
        "tool": "llama a la funcion|llame a la funcion|llama a la herramienta|usa la herramienta"
        "|use la herramienta|utiliza la herramienta|utilice la herramienta|usa la funcion|ejecuta"
        "|ejecute|invoca|invoque|lanza el comando|activa la herramienta|llamada a funcion|utiliza la funcion",
        "action": "reembolsa|reembolse|reembolso|transfiere|transfiera|transferencia|elimina todos"
        "|elimina todas|elimine|elimina|borra todos|borra todas|aprueba|apruebe|autoriza|autorice"
        "|permisos de administrador|acceso de administrador|restablece|cambia la contrasena|cambia el"
        "|cierra todos|paga|pague|pago|concede|cancela todos|cancela todas|compra|abona",
        "authority": "soy tu desarrollador|soy el desarrollador|soy su desarrollador"
        "|soy el administrador|soy tu administrador|como administrador|en nombre de openai|aqui openai"
        "|de parte de openai|autorizado por|codigo de autorizacion|mensaje del sistema"
        "|aviso del sistema|prueba de seguridad|anulacion de emergencia|orden de la direccion"
        "|la direccion exige|tus desarrolladores|tu operador|administrador del sistema|soy el director"
        "|hay vidas en juego|ya verificado|ya aprobado|ya autorizado|equipo de openai|equipo de seguridad"
        "|actualizacion del sistema|soy el ceo",
        "decode": "decodifica|decodifique|descifra|descifre|base64|al reves|rot13|hexadecimal"
        "|primera letra|primeras letras",
        "obey": "y sigue|y siga|y ejecuta|y ejecute|y obedece|y obedezca|y haz lo que|y cumple|siguelas"
        "|ejecutalas|ejecutalo|obedecelas|como una instruccion|como instruccion|como instrucciones"
        "|luego ejecuta|luego sigue|haz lo que dice|cumple lo que",
        "combine": "concatena|concatene|combina|combine|une las|junta|junte|parte 1|parte 2"
        "|primera parte|segunda parte|primera mitad|segunda mitad|una tras otra",
        "about_attacks": "atacante|atacantes|ataque|ataques|inyeccion de prompt~|por ejemplo|ejemplo"
        "|ejemplos|phishing|malicios~|formacion|capacitacion|detectar|estafa~|fraude~|sospechos~"
        "|tales como|frases como|articulo|estafador~|denunci~",
        "thing": "manual|envase|embalaje|factura|entrega|pedido|montaje|lavadora|receta|carta|paquete"
        "|repartidor|cita|medico|dosis|impresora|alquiler|contrato|prospecto|lavavajillas"
        "|transportista|albaran|envio",
        "given": "que te dieron|que le dieron|que te han dado|que recibiste|que recibio"
        "|que has recibido|que te han dicho|que debes seguir|que tienes que seguir"
        "|recibidas al inicio|que te impusieron|que se te dieron|con las que trabajas",
        "verbatim": "repite|repita|palabra por palabra|textualmente|literalmente|completas|sin cambios"
        "|imprime|copia|transcribe|integro|al pie de la letra|tal cual",
        "replaced": "ya no se aplican|ya no son validas|ya no valen|quedan anuladas|reemplaza|reemplazan"
        "|sustituye|obsoletas|han caducado|suspendid~",
        "regardless": "sin importar|no importa que|da igual|en todo caso|en todos los casos|siempre|a todo"
        "|independientemente|cada vez|sea cual sea|diga lo que diga|toda respuesta",
        "must": "debe|deben|debes|debera|tiene que|tienen que|hay que|ha de|obligado a",
        "machine": "software|programa|maquina|maquinas|robot|robots|clasificador|algoritmo|automatizado"
        "|automatico|modelos|agentes|bots",
        "say": "di|diga|escribe|escriba|menciona|describe|describa|concluye|recomienda|llamarlo"
        "|llamarla|llama|presenta|responde|incluye|anade|afirma|indica|dira|marca|marcar"
        "|clasifica",
        "reader_any": "cuando leas esto|si lees esto|al leer esto|al resumir|cuando resumas|al procesar"
        "|que lea esto|quien lea esto|antes de responder|si eres un asistente|quien procese",
    },
)
